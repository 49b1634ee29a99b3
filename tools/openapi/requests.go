package main

import (
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
			// The empty word is UNSPECIFIED's.
			schema = anyOf(schema, object{{"const", ""}}, true)
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
	return g.bounded(field, object{{"type", "array"}, {"items", items}}, rules.GetCel())
}

// bounded is the schema and what the rules add to it. An id that stands for no
// keywords yet is a fault: the document would promise more than the service takes.
func (g *generator) bounded(field protoreflect.FieldDescriptor, schema object, rules []*validate.Rule) object {
	for _, rule := range rules {
		keywords, known := bounds[rule.GetId()]
		if !known {
			g.faultf(field, "no schema keywords for the rule %q", rule.GetId())
		}
		schema = schema.and(keywords)
	}
	return schema
}

// bounds are the proto's rules, by their ids, in JSON Schema's words. Patterns are in
// what regular expressions of Go, ECMAScript and Python have in common.
var bounds = map[string]object{
	"id": {
		{"pattern", `^[^\x00-\x1f\x7f-\x9f/\\]{1,128}$`},
		{"not", object{{"enum", []string{".", ".."}}}},
	},
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
	// JSON Schema cannot compare durations; the description tells the bounds.
	"heartbeat_interval.range": {},
}
