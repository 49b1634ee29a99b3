package wire

import (
	"maps"
	"net/url"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Requests come in three parts, read in this order: DecodeBody, DecodeQuery,
// DecodePath. What they refuse is a apierror.Error with the reason
// InvalidRequest and one violation a field at fault, by its REST name.

// wholeQuery stands for the field where the query itself is at fault.
const wholeQuery = "query"

// DecodeQuery reads a URL's query into the request's fields. A key that is no field is
// refused: it may be a filter misspelt, or a credential.
func DecodeQuery(text string, request proto.Message) error {
	var faults faults
	query, err := url.ParseQuery(text)
	if err != nil {
		faults.add(wholeQuery, ruleSyntax, "must be key=value pairs, percent-encoded and joined by &")
	}
	message := request.ProtoReflect()
	for _, key := range slices.Sorted(maps.Keys(query)) {
		field := message.Descriptor().Fields().ByName(protoreflect.Name(key))
		switch values := query[key]; {
		case field == nil:
			faults.add(key, ruleUnknown, "unknown parameter")
		case !field.IsList() && len(values) > 1:
			faults.add(key, ruleOnce, "must be given once")
		default:
			setTexts(message, field, values, &faults)
		}
	}
	return faults.err(wholeQuery)
}

func setTexts(message protoreflect.Message, field protoreflect.FieldDescriptor, texts []string, faults *faults) {
	for _, text := range texts {
		value, problem := read(field, text)
		if problem != "" {
			faults.add(string(field.Name()), ruleType, problem)
			continue
		}
		set(message, field, value)
	}
}

// set gives a field its value, or its next one.
func set(message protoreflect.Message, field protoreflect.FieldDescriptor, value protoreflect.Value) {
	if field.IsList() {
		message.Mutable(field).List().Append(value)
		return
	}
	message.Set(field, value)
}

// DecodePath reads the ids of a path, each percent-decoded once, into the request's
// fields. An id that the body or query named already must be the same.
func DecodePath(path map[string]string, request proto.Message) error {
	var faults faults
	message := request.ProtoReflect()
	for _, name := range slices.Sorted(maps.Keys(path)) {
		field := message.Descriptor().Fields().ByName(protoreflect.Name(name))
		value, problem := read(field, path[name])
		switch {
		case problem != "":
			faults.add(name, ruleType, problem)
		case message.Has(field) && message.Get(field).String() != path[name]:
			faults.add(name, ruleAgree, "must be the one in the path")
		default:
			message.Set(field, value)
		}
	}
	return faults.err("path")
}
