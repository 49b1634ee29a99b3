package main

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// responseSchema returns the schema of a field in a response. It allows null if the field
// may be unset.
func (g *generator) responseSchema(field protoreflect.FieldDescriptor) object {
	switch {
	case field.IsList():
		return object{{"type", "array"}, {"items", g.value(field)}}
	case hasRawField(field) && mayBeNull(field):
		return nullable(refTo(openName(field.Enum())))
	case hasRawField(field):
		return refTo(openName(field.Enum()))
	case mayBeNull(field):
		return nullable(g.value(field))
	default:
		return g.value(field)
	}
}

func mayBeNull(field protoreflect.FieldDescriptor) bool {
	return field.HasPresence() && !isChoice(field) && (field.Message() == nil || isWellKnown(field.Message()))
}

func isWellKnown(message protoreflect.MessageDescriptor) bool {
	return message.ParentFile().Package() == "google.protobuf"
}

// hasRawField reports whether the proto has a raw_ field beside this one, for values of
// the upstream that the enum does not contain.
func hasRawField(field protoreflect.FieldDescriptor) bool {
	siblings := field.ContainingMessage().Fields()
	for i := range siblings.Len() {
		sibling := string(siblings.Get(i).Name())
		if isRaw(siblings.Get(i)) && strings.Replace(sibling, "raw_", "", 1) == string(field.Name()) {
			return true
		}
	}
	return false
}

// nullable returns a schema that also allows null.
func nullable(schema object) object {
	wider := slices.Clone(schema)
	for i, m := range wider {
		if m.name == "type" {
			wider[i].value = []any{m.value, "null"}
			return wider
		}
	}
	return object{{"anyOf", []object{schema, {{"type", "null"}}}}}
}

// value returns the schema of one value of the field.
func (g *generator) value(field protoreflect.FieldDescriptor) object {
	switch field.Kind() {
	case protoreflect.StringKind:
		return object{{"type", "string"}}
	case protoreflect.BoolKind:
		return object{{"type", "boolean"}}
	case protoreflect.Int32Kind:
		return object{{"type", "integer"}, {"format", "int32"}}
	case protoreflect.EnumKind:
		return ref(field.Enum())
	case protoreflect.MessageKind:
		return g.messageValue(field)
	default:
		g.errorf(field, "no JSON format for %s", field.Kind())
		return object{}
	}
}

func (g *generator) messageValue(field protoreflect.FieldDescriptor) object {
	switch message := field.Message(); {
	case message.FullName() == "google.protobuf.Timestamp":
		return object{{"type", "string"}, {"format", "date-time"}}
	case message.FullName() == "google.protobuf.Duration":
		return refTo(durationName)
	case message.FullName() == "google.rpc.Status":
		return refTo("ErrorBody")
	case isWellKnown(message):
		g.errorf(field, "no JSON format for %s", message.FullName())
		return object{}
	default:
		return ref(message)
	}
}
