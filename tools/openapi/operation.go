package main

import (
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func (g *generator) operation(r route) object {
	comment := g.comments.Of(r.method)
	if r.method.IsStreamingServer() {
		comment += "\n\n" + streams[r.method.Name()].note
	}
	if r.hasEmptyBody() {
		comment += "\n\n" + emptyBodyNote
	}
	name := string(r.method.Name())
	operation := object{
		{"operationId", strings.ToLower(name[:1]) + name[1:] + r.idSuffix},
		{"tags", []string{tag}},
		{"summary", firstSentence(comment)},
		{"description", comment},
		{"parameters", g.parameters(r)},
	}
	if r.hasBody && !r.hasEmptyBody() {
		operation = operation.with("requestBody", object{
			{"required", true},
			{"content", object{{"application/json", object{
				{"schema", ref(r.method.Input())},
				{"example", bodyExamples[r.method.Name()]},
			}}}},
		})
	}
	return operation.with("responses", g.responses(r))
}

// emptyBodyNote replaces a description of the body: from an optional one, the Rust client of
// OpenAPI Generator sends the text null, which the service refuses.
const emptyBodyNote = "The request has no body. An empty JSON object, `{}`, is accepted as well."

// firstSentence returns the summary of a description.
func firstSentence(text string) string {
	paragraph, _, _ := strings.Cut(text, "\n\n")
	sentence, _, _ := strings.Cut(paragraph, ". ")
	return strings.TrimSuffix(strings.ReplaceAll(sentence, "`", ""), ".")
}

func (g *generator) parameters(r route) []object {
	var parameters []object
	fields := r.method.Input().Fields()
	for i := range fields.Len() {
		switch field := fields.Get(i); {
		case inPath(r.path, field):
			parameters = append(parameters, g.parameter("path", field).with("required", true))
		case !r.hasBody && field.Name() == "watches":
			parameters = append(parameters, conferenceIDs)
		case !r.hasBody:
			parameters = append(parameters, g.parameter("query", field))
		}
	}
	for _, header := range requestHeaders {
		if header.only == "" || header.only == r.method.Name() {
			parameters = append(parameters, header.parameter())
		}
	}
	return parameters
}

// conferenceIDs replaces the field watches in a query: a query has no messages.
var conferenceIDs = object{
	{"name", "conference_ids"},
	{"in", "query"},
	{"description", "The ids of the conferences to watch: 1 to 100, each given once."},
	{"required", true},
	{"schema", object{{"type", "array"}, {"items", refTo(idName)}}.and(bounds["watches.count"])},
	{"example", []string{"conf_demo"}},
	{"style", "form"},
	{"explode", true},
}

func inPath(path string, field protoreflect.FieldDescriptor) bool {
	return strings.Contains(path, "{"+string(field.Name())+"}")
}

func (g *generator) parameter(in string, field protoreflect.FieldDescriptor) object {
	parameter := object{
		{"name", string(field.Name())},
		{"in", in},
		{"description", g.comments.Of(field)},
		{"schema", g.requestSchema(field)},
	}
	if example, found := parameterExamples[field.Name()]; found {
		parameter = parameter.with("example", example)
	}
	if field.IsList() {
		// Each value repeats the key.
		parameter = parameter.with("style", "form").with("explode", true)
	}
	return parameter
}

// parameterExamples are the examples of the docs page; they work in the demo.
var parameterExamples = map[protoreflect.Name]any{"conference_id": "conf_demo"}

// bodyExamples are examples of bodies, with values from Audian's documentation.
var bodyExamples = map[protoreflect.Name]object{
	adding:       addExample,
	batching:     {{"entries", []object{{{"phone_number", "+12025551234"}, {"name", "John Doe"}, {"role", "listener"}}}}},
	watchingMany: {{"watches", []object{{{"conference_id", "conf_demo"}}}}},
}

var addExample = object{
	{"phone_number", "+12025551234"},
	{"name", "John Doe"},
	{"role", "listener"},
	{"muted", false},
	{"send_pin_via_sms", false},
	{"validate_only", false},
	{"wait_for_answer", false},
}

// watchExample is the first message of a watch.
var watchExample = object{
	{"resume_token", "eyJlcG9jaCI6"},
	{"snapshot", object{
		{"participants", []object{}},
		{"total", 0},
		{"active", 0},
		{"reason", "initial"},
		{"observed_time", "2025-01-15T10:30:00Z"},
	}},
}

// isRequired reports whether the field is required in requests.
func isRequired(field protoreflect.FieldDescriptor) bool {
	behaviors, _ := proto.GetExtension(field.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return slices.Contains(behaviors, annotations.FieldBehavior_REQUIRED)
}

// requestHeader is a header that calls use.
type requestHeader struct {
	name        string
	description string
	schema      object
	// only is the method that uses the header; empty for all methods.
	only protoreflect.Name
}

func (h requestHeader) parameter() object {
	return object{{"name", h.name}, {"in", "header"}, {"description", h.description}, {"schema", h.schema}}
}

var requestHeaders = []requestHeader{
	{
		name: "Idempotency-Key", only: "AddParticipant",
		description: "The same as `request_id` in the body. If both are set, they must be equal.",
		schema:      object{{"type", "string"}, {"pattern", "^[ -~]{1,128}$"}},
	},
	{
		name: "Last-Event-ID", only: "WatchParticipants",
		description: "The id of the last received server-sent event. It takes precedence over `resume_token`.",
		schema:      object{{"type", "string"}},
	},
	{
		name: "X-Request-Id",
		description: "The caller's id of this request, 1 to 128 printable ASCII characters without spaces. It is logged, sent upstream " +
			"and echoed. Without a valid one the service creates an id.",
		schema: object{{"type", "string"}},
	},
	{
		name:        "Grpc-Timeout",
		description: "The deadline of the call.",
		schema:      refTo(timeoutName),
	},
	{
		name:        "traceparent",
		description: "The W3C trace context. It is sent upstream.",
		schema:      object{{"type", "string"}},
	},
}
