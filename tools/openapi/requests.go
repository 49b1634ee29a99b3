package main

import (
	"slices"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// body returns the schema of a request body. For optional fields null means absent. Ids of
// the path are left out: the service accepts them if they are equal to those in the path,
// which a schema cannot express.
func (g *generator) body(r route) object {
	return g.requestObject(r.method.Input(), r.path)
}

// requestMessage returns the schema of a message within a request body.
func (g *generator) requestMessage(message protoreflect.MessageDescriptor) object {
	return g.requestObject(message, "")
}

func (g *generator) requestObject(message protoreflect.MessageDescriptor, path string) object {
	properties, required := object{}, []string{}
	fields := message.Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if inPath(path, field) {
			continue
		}
		schema := g.requestSchema(field)
		switch {
		case isRequired(field):
			required = append(required, string(field.Name()))
		case field.Enum() != nil && !field.IsList():
			// The empty string means UNSPECIFIED. With a type beside it, client generators would
			// make the field a string.
			schema = object{{"anyOf", []object{schema, {{"const", ""}}, {{"type", "null"}}}}}
		default:
			schema = nullable(schema)
		}
		properties = properties.with(string(field.Name()), g.described(field, schema))
	}
	return object{
		{"type", "object"},
		{"description", g.comments.Of(message)},
		{"required", required},
		{"properties", properties},
		{"additionalProperties", false},
	}
}

// requestSchema returns the schema of a field in a request, with the constraints of its
// rules.
func (g *generator) requestSchema(field protoreflect.FieldDescriptor) object {
	rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
	if !field.IsList() {
		return g.bounded(field, g.value(field), rules.GetCel())
	}
	items := g.bounded(field, g.value(field), rules.GetRepeated().GetItems().GetCel())
	list := g.bounded(field, object{{"type", "array"}, {"items", items}}, rules.GetCel())
	if field.Enum() == nil {
		return list
	}
	return g.named(string(field.Enum().Name())+"List", "Values of `"+string(field.Enum().Name())+"`.", list)
}

// named adds a component for a schema that several fields share.
func (g *generator) named(name, description string, schema object) object {
	if !slices.ContainsFunc(g.lists, func(m member) bool { return m.name == name }) {
		g.lists = g.lists.with(name, object{{"description", description}}.and(schema))
	}
	return refTo(name)
}

// bounded adds the constraints of the rules to a schema. A rule without keywords is an error:
// the document would allow values that the service refuses.
func (g *generator) bounded(field protoreflect.FieldDescriptor, schema object, rules []*validate.Rule) object {
	for _, rule := range rules {
		if name, isNamed := namedRules[rule.GetId()]; isNamed {
			return refTo(name)
		}
		keywords, known := bounds[rule.GetId()]
		if !known {
			g.errorf(field, "no schema keywords for the rule %q", rule.GetId())
		}
		schema = schema.and(keywords)
	}
	return schema
}

// namedRules maps rule ids to the schemas in valueSchemas that express them completely.
var namedRules = map[string]string{
	"id":                       idName,
	"heartbeat_interval.range": heartbeatName,
	"phone_number.length":      dialledNumberName,
	"name.length":              displayName,
	"request_id":               requestIDName,
}

// bounds maps rule ids to JSON Schema keywords. Patterns use only syntax that Go, ECMAScript
// and Python share.
var bounds = map[string]object{
	"page_size.range": {{"minimum", 0}},
	"values.count": {
		{"maxItems", 100},
	},
	"participant_ids.count": {
		{"maxItems", 100},
	},

	"entries.count": {{"minItems", 1}, {"maxItems", 1000}},
	"watches.count": {{"minItems", 1}, {"maxItems", 100}},

	// No keyword expresses that each conference is named once.
	"watches.once": {},

	// The enum expresses it.
	"order.known":  {},
	"role.known":   {},
	"status.known": {},
}
