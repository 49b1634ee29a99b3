package main

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// schemas returns the schemas of the file's messages and enums, and of errors.
func (g *generator) schemas(file protoreflect.FileDescriptor) object {
	var schemas object
	for i := range file.Enums().Len() {
		enum := file.Enums().Get(i)
		schemas = schemas.with(string(enum.Name()), g.enum(enum))
		if isOpen(file, enum) {
			schemas = schemas.with(openName(enum), openEnum(enum))
		}
	}
	service := file.Services().Get(0)
	bodies := map[protoreflect.FullName]route{}
	unused := map[protoreflect.FullName]bool{}
	for i := range service.Methods().Len() {
		r := g.routesOf(service.Methods().Get(i))[0]
		unused[r.method.Input().FullName()] = !r.hasBody || r.hasEmptyBody()
		unused[r.method.Output().FullName()] = r.response != r.method.Output()
		if r.hasBody && !r.hasEmptyBody() {
			bodies[r.method.Input().FullName()] = r
		}
	}
	for i := range file.Messages().Len() {
		message := file.Messages().Get(i)
		name := string(message.Name())
		switch r, isBody := bodies[message.FullName()]; {
		case isBody:
			schemas = schemas.with(name, g.body(r))
		case inRequest(service, message):
			schemas = schemas.with(name, g.requestMessage(message))
		case streamed(service, message):
			schemas = schemas.with(name, g.streamMessage(message))
		case !unused[message.FullName()]:
			schemas = schemas.with(name, g.message(message))
		}
	}
	return schemas.and(g.lists).and(valueSchemas).and(errorSchemas)
}

func ref(to protoreflect.Descriptor) object { return refTo(string(to.Name())) }

func refTo(name string) object { return object{{"$ref", "#/components/schemas/" + name}} }

// enum returns the schema of an enum: the names of its values in lower case without their
// common prefix, and without UNSPECIFIED.
func (g *generator) enum(enum protoreflect.EnumDescriptor) object {
	values := enum.Values()
	names := enumNames(enum)
	lines := make([]string, len(names))
	for i, name := range names {
		lines[i] = "- `" + name + "`: " + g.comments.Of(values.Get(i+1))
	}
	return object{
		{"type", "string"},
		{"description", g.comments.Of(enum) + "\n\n" + strings.Join(lines, "\n")},
		{"enum", names},
	}
}

// enumNames returns the JSON names of the enum's values, without UNSPECIFIED.
func enumNames(enum protoreflect.EnumDescriptor) []string {
	values := enum.Values()
	prefix := strings.TrimSuffix(string(values.Get(0).Name()), "UNSPECIFIED")
	names := make([]string, 0, values.Len())
	for i := 1; i < values.Len(); i++ {
		names = append(names, strings.ToLower(strings.TrimPrefix(string(values.Get(i).Name()), prefix)))
	}
	return names
}

// message returns the schema of a message in a response: every field is present.
func (g *generator) message(message protoreflect.MessageDescriptor) object {
	properties, required, choice := g.fields(message)
	schema := object{
		{"type", "object"},
		{"description", g.comments.Of(message)},
		{"required", required},
		{"properties", properties},
	}
	if len(choice) > 0 {
		return schema.with("oneOf", oneOf(required, choice))
	}
	return schema
}

// oneOf returns the alternatives of a message with a oneof.
func oneOf(required, choice []string) []object {
	kinds := make([]object, 0, len(choice)+1)
	for _, name := range choice {
		kinds = append(kinds, object{{"required", append(slices.Clip(required), name)}})
	}
	return kinds
}

// streamMessage returns the schema of a message of a stream: with one field of its oneof,
// or with the failure that ends the stream.
func (g *generator) streamMessage(message protoreflect.MessageDescriptor) object {
	properties, required, choice := g.fields(message)
	if !slices.Contains(choice, "error") {
		failure := object{{"description", "Why the stream ends. A message with this field has no other field."}}.and(refTo("ErrorBody"))
		properties = properties.with("error", failure)
	}
	return object{
		{"type", "object"},
		{"description", g.comments.Of(message)},
		{"properties", properties},
		{"oneOf", append(oneOf(required, choice), object{{"required", []string{"error"}}, {"maxProperties", 1}})},
	}
}

// fields returns the properties of a message, the names of the required ones, and the names
// of its oneof.
func (g *generator) fields(message protoreflect.MessageDescriptor) (properties object, required, choice []string) {
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		name := string(field.Name())
		switch {
		case isRaw(field):
			continue
		case isChoice(field):
			choice = append(choice, name)
		default:
			required = append(required, name)
		}
		properties = properties.with(name, g.described(field, g.responseSchema(field)))
	}
	return properties, required, choice
}

// streamed reports whether a method of the service streams the message.
func streamed(service protoreflect.ServiceDescriptor, message protoreflect.MessageDescriptor) bool {
	for i := range service.Methods().Len() {
		if method := service.Methods().Get(i); method.IsStreamingServer() && method.Output() == message {
			return true
		}
	}
	return false
}

// inRequest reports whether a request of the service contains the message in a list.
func inRequest(service protoreflect.ServiceDescriptor, message protoreflect.MessageDescriptor) bool {
	for i := range service.Methods().Len() {
		fields := service.Methods().Get(i).Input().Fields()
		for j := range fields.Len() {
			if fields.Get(j).IsList() && fields.Get(j).Message() == message {
				return true
			}
		}
	}
	return false
}

// isRaw reports whether the field exists only in the proto: in JSON its value is in the field
// of the enum.
func isRaw(field protoreflect.FieldDescriptor) bool {
	return slices.Contains(strings.Split(string(field.Name()), "_"), "raw")
}

func isChoice(field protoreflect.FieldDescriptor) bool {
	oneof := field.ContainingOneof()
	return oneof != nil && !oneof.IsSynthetic()
}

// described adds the field's comment and an example to its schema.
func (g *generator) described(field protoreflect.FieldDescriptor, schema object) object {
	described := object{{"description", g.comments.Of(field)}}.and(schema)
	if example, found := examples[field.Name()]; found {
		described = described.with("examples", []any{example})
	}
	return described
}

// examples are from Audian's documentation.
var examples = map[protoreflect.Name]any{
	"id":            "part_xyz789",
	"conference_id": "conf_abc123def456",
	"phone_number":  "+12025551234",
	"name":          "John Doe",
	"joined_at":     "2025-01-15T10:30:00Z",
	"created_at":    "2025-01-15T10:29:45Z",
	"poll_interval": "1.5s",
}
