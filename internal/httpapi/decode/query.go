package decode

import (
	"maps"
	"net/url"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// wholeQuery is the field of a violation that concerns the query as a whole.
const wholeQuery = "query"

// Query decodes a URL's query into the request's fields. It refuses unknown keys: one may
// be a misspelt filter, or a credential.
func Query(text string, request proto.Message) error {
	if text == "" {
		return nil
	}
	var invalid violations
	query, err := url.ParseQuery(text)
	if err != nil {
		invalid.add(wholeQuery, ruleSyntax, "must be key=value pairs, percent-encoded and joined by &")
	}
	message := request.ProtoReflect()
	for _, key := range slices.Sorted(maps.Keys(query)) {
		field := message.Descriptor().Fields().ByName(protoreflect.Name(key))
		switch values := query[key]; {
		case key == conferenceIDs && setConferences(message, values, &invalid):
		case field == nil || isObject(field):
			invalid.add(key, ruleUnknown, "unknown parameter")
		case !field.IsList() && len(values) > 1:
			invalid.add(key, ruleOnce, "must be given once")
		default:
			setParsed(message, field, values, &invalid)
		}
	}
	return invalid.err(wholeQuery)
}

// conferenceIDs is the parameter that replaces a field watches: a query has no messages.
const conferenceIDs = "conference_ids"

// setConferences sets the ids of the watches of a request. It returns false for a request without.
func setConferences(message protoreflect.Message, ids []string, invalid *violations) bool {
	watches := message.Descriptor().Fields().ByName("watches")
	if watches == nil {
		return false
	}
	for _, id := range ids {
		value, problem := parseString(id)
		if problem != "" {
			invalid.add(conferenceIDs, ruleType, problem)
			continue
		}
		one := message.Mutable(watches).List().AppendMutable().Message()
		one.Set(one.Descriptor().Fields().ByName("conference_id"), value)
	}
	return true
}

func setParsed(message protoreflect.Message, field protoreflect.FieldDescriptor, texts []string, invalid *violations) {
	for _, text := range texts {
		value, problem := parse(field, text)
		if problem != "" {
			invalid.add(string(field.Name()), ruleType, problem)
			continue
		}
		set(message, field, value)
	}
}

// set sets a field, or appends to a list.
func set(message protoreflect.Message, field protoreflect.FieldDescriptor, value protoreflect.Value) {
	if field.IsList() {
		message.Mutable(field).List().Append(value)
		return
	}
	message.Set(field, value)
}

// Path decodes the ids of a path, each percent-decoded once, into the request's fields. An
// id that the body or query contains too must be the same.
func Path(path map[string]string, request proto.Message) error {
	var invalid violations
	message := request.ProtoReflect()
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		name := string(field.Name())
		sent, isInPath := path[name]
		if !isInPath {
			continue
		}
		value, problem := parse(field, sent)
		switch {
		case problem != "":
			invalid.add(name, ruleType, problem)
		case message.Has(field) && message.Get(field).String() != sent:
			invalid.add(name, ruleAgree, "must be the one in the path")
		default:
			message.Set(field, value)
		}
	}
	return invalid.err("path")
}
