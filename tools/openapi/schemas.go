package main

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// schemas are those of every message and enum of the file, and of errors.
func (g *generator) schemas(file protoreflect.FileDescriptor) object {
	var schemas object
	for i := range file.Enums().Len() {
		enum := file.Enums().Get(i)
		schemas = schemas.with(string(enum.Name()), g.enum(enum))
	}
	service := file.Services().Get(0)
	bodies := map[protoreflect.FullName]route{}
	unused := map[protoreflect.FullName]bool{}
	for i := range service.Methods().Len() {
		r := g.routeOf(service.Methods().Get(i))
		unused[r.method.Input().FullName()] = !r.hasBody
		unused[r.method.Output().FullName()] = r.answer != r.method.Output()
		if r.hasBody {
			bodies[r.method.Input().FullName()] = r
		}
	}
	for i := range file.Messages().Len() {
		message := file.Messages().Get(i)
		name := string(message.Name())
		switch r, isBody := bodies[message.FullName()]; {
		case isBody:
			schemas = schemas.with(name, g.body(r))
		case !unused[message.FullName()]:
			schemas = schemas.with(name, g.message(message))
		}
	}
	return schemas.and(errorSchemas)
}

func ref(to protoreflect.Descriptor) object {
	return object{{"$ref", "#/components/schemas/" + string(to.Name())}}
}

// enum is the closed set of an enum's words: the names of its values, without their
// common prefix and in lower case. Its UNSPECIFIED has none.
func (g *generator) enum(enum protoreflect.EnumDescriptor) object {
	values := enum.Values()
	prefix := strings.TrimSuffix(string(values.ByNumber(0).Name()), "UNSPECIFIED")
	var words, lines []string
	for i := range values.Len() {
		value := values.Get(i)
		if value.Number() == 0 {
			continue
		}
		word := strings.ToLower(strings.TrimPrefix(string(value.Name()), prefix))
		words = append(words, word)
		lines = append(lines, "- `"+word+"`: "+g.comments.Of(value))
	}
	return object{
		{"type", "string"},
		{"description", g.comments.Of(enum) + "\n\n" + strings.Join(lines, "\n")},
		{"enum", words},
	}
}

// message is a message of an answer: every field is present, but of a oneof the one
// that is set.
func (g *generator) message(message protoreflect.MessageDescriptor) object {
	properties, required, choice := object{}, []string{}, []object{}
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		name := string(field.Name())
		if isRaw(field) {
			continue
		}
		if isChoice(field) {
			choice = append(choice, object{{"required", []string{name}}})
		} else {
			required = append(required, name)
		}
		properties = properties.with(name, g.described(field, g.answerSchema(field)))
	}
	schema := object{
		{"type", "object"},
		{"description", g.comments.Of(message)},
		{"required", required},
		{"properties", properties},
	}
	if len(choice) > 0 {
		schema = schema.with("oneOf", choice)
	}
	return schema
}

// isRaw says that the field is the proto's alone: in JSON its word stands in the
// field of the enum.
func isRaw(field protoreflect.FieldDescriptor) bool {
	return slices.Contains(strings.Split(string(field.Name()), "_"), "raw")
}

func isChoice(field protoreflect.FieldDescriptor) bool {
	oneof := field.ContainingOneof()
	return oneof != nil && !oneof.IsSynthetic()
}

// described puts the field's comment beside its schema, and an example.
func (g *generator) described(field protoreflect.FieldDescriptor, schema object) object {
	described := object{{"description", g.comments.Of(field)}}.and(schema)
	if example, found := examples[field.Name()]; found {
		described = described.with("examples", []any{example})
	}
	return described
}

// examples are from the vendor's pages.
var examples = map[protoreflect.Name]any{
	"id":            "part_xyz789",
	"conference_id": "conf_abc123def456",
	"phone_number":  "+12025551234",
	"name":          "John Doe",
	"joined_at":     "2025-01-15T10:30:00Z",
	"created_at":    "2025-01-15T10:29:45Z",
	"poll_interval": "1.5s",
}
