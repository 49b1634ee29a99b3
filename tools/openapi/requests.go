package main

import (
	"slices"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// body is a request's body. Null is the same as absent, but for what is required. An id
// of the path is no part of it: it is taken where it says the same, which no schema can
// ask for.
func (g *generator) body(r route) object {
	properties, required := object{}, []string{}
	fields := r.method.Input().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if inPath(r.path, field) {
			continue
		}
		schema := g.requestSchema(field)
		switch {
		case isRequired(field):
			required = append(required, string(field.Name()))
		case field.Enum() != nil:
			// The empty string means UNSPECIFIED. If it had a type, generators would turn the
			// whole choice into a string.
			schema = object{{"anyOf", []object{schema, {{"const", ""}}, {{"type", "null"}}}}}
		default:
			schema = nullable(schema)
		}
		properties = properties.with(string(field.Name()), g.described(field, schema))
	}
	return object{
		{"type", "object"},
		{"description", g.comments.Of(r.method.Input())},
		{"required", required},
		{"properties", properties},
		{"additionalProperties", false},
	}
}

// requestSchema is a field's value in a request, within the bounds of its rules.
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

// named makes a component of a schema that more than one field has.
func (g *generator) named(name, description string, schema object) object {
	if !slices.ContainsFunc(g.lists, func(m member) bool { return m.name == name }) {
		g.lists = g.lists.with(name, object{{"description", description}}.and(schema))
	}
	return refTo(name)
}

// bounded is the schema and what the rules add to it. A rule whose id has no keywords
// is a fault: the document would promise more than the service takes.
func (g *generator) bounded(field protoreflect.FieldDescriptor, schema object, rules []*validate.Rule) object {
	for _, rule := range rules {
		if name, isNamed := namedRules[rule.GetId()]; isNamed {
			return refTo(name)
		}
		keywords, known := bounds[rule.GetId()]
		if !known {
			g.faultf(field, "no schema keywords for the rule %q", rule.GetId())
		}
		schema = schema.and(keywords)
	}
	return schema
}

// namedRules are the rules, by their ids, that are the whole of a value's schema: its
// name is in valueSchemas.
var namedRules = map[string]string{
	"id":                       idName,
	"heartbeat_interval.range": heartbeatName,
}

// bounds are the proto's rules, by their ids, in JSON Schema's words. Patterns are in
// what regular expressions of Go, ECMAScript and Python have in common.
var bounds = map[string]object{
	"phone_number.length": {{"minLength", 1}, {"maxLength", 20}},
	"name.length":         {{"maxLength", 100}},
	"name.control":        {{"pattern", `^[^\x00-\x1f\x7f-\x9f]*$`}},
	"request_id":          {{"pattern", "^[ -~]{0,128}$"}},
	"page_size.range":     {{"minimum", 0}},
	"values.count": {
		{"maxItems", 100},
	},
	"participant_ids.count": {
		{"maxItems", 100},
	},

	// The words say it.
	"role.known":   {},
	"status.known": {},
}
