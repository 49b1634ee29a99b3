package main

import (
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"
)

func (g *generator) responses(r route) object {
	var responses object
	switch {
	case r.method.IsStreamingServer():
		responses = responses.with("200", stream(r))
	case r.response == nil:
		responses = responses.with("204", withoutBody(r, "Success, without a body."))
	default:
		responses = responses.with("200", object{
			{"description", g.comments.Of(r.response)},
			{"headers", successHeaders(r)},
			{"content", jsonContent(ref(r.response))},
		})
	}
	if r.isControl() {
		responses = responses.with("204", withoutBody(r, "Success. The upstream's response contains no participant."))
	}
	for _, one := range errorResponses(r.method.Name()) {
		responses = responses.with(one.status, one.response(r))
	}
	return responses
}

func withoutBody(r route, description string) object {
	return object{{"description", description}, {"headers", successHeaders(r)}}
}

func jsonContent(schema object) object {
	return object{{"application/json", object{{"schema", schema}}}}
}

// stream is a stream's response in both formats. OpenAPI 3.1 cannot describe a stream, so the
// schema is that of one line or of one event's data.
func stream(r route) object {
	schema := object{{"schema", ref(r.response)}, {"example", streams[r.method.Name()].example}}
	return object{
		{"description", streams[r.method.Name()].text},
		{"headers", responseHeaders(r)},
		{"content", object{
			{"application/x-ndjson", schema},
			{"text/event-stream", schema},
		}},
	}
}

// streamTexts describe a streaming method.
type streamTexts struct {
	// text describes the response.
	text string
	// note is for readers of /docs, which has no button for the call.
	note    string
	example object
}

var streams = map[protoreflect.Name]streamTexts{
	watching: {
		text: "A stream that goes on until the conference ends or one side closes it. " +
			"With `Accept: text/event-stream` it consists of server-sent events: `id` is the resume token, `event` is one of `snapshot`, " +
			"`changes`, `checkpoint`, `end` and `failure`, and `data` is one message in JSON, on one line. " + eachMessage +
			"A stream that fails after its start ends with an event `failure` (without an id) or a line that contains only `error`. " +
			statusWaits,
		note:    notEnding + "-H 'Accept: text/event-stream' http://127.0.0.1:8080/v2/conferences/conf_demo/participants:watch",
		example: watchExample,
	},
	watchingMany: {
		text: "A stream that goes on until all conferences have ended or one side closes it. " +
			"With `Accept: text/event-stream` it consists of server-sent events without an id: `event` is one of `snapshot`, " +
			"`changes`, `checkpoint`, `end`, `refused` and `failure`, and `data` is one message in JSON, on one line. " + eachMessage +
			"A message `refused`, which contains `error`, ends its conference alone. " +
			"A stream that fails after its start ends with an event `failure` or a line that contains only `error`. " +
			statusWaits,
		note:    notEnding + "-H 'Accept: text/event-stream' 'http://127.0.0.1:8080/v2/conferences:watch?conference_ids=conf_demo'",
		example: object{{"conference_id", "conf_demo"}, {"message", watchExample}},
	},
	batching: {
		text: "A stream that ends with the summary of the batch. " +
			"With `Accept: text/event-stream` it consists of server-sent events without an id: `event` is one of `accepted`, " +
			"`result`, `progress`, `summary` and `failure`, and `data` is one message in JSON, on one line. " + eachMessage +
			"A stream that fails after its start ends with an event `failure` or a line that contains only `error`.",
		note:    "The response goes on until all entries have an outcome. Use a client that shows each message when it comes.",
		example: object{{"accepted", object{{"count", 1}, {"expected_duration", "0.1s"}}}},
	},
}

const (
	eachMessage = "Otherwise each line is one message. The schema describes one line, or the data of one event. "
	statusWaits = "The status is sent when the first outcome is known, after at most 5 seconds."
	notEnding   = "The response does not end. Use a client that shows each message when it comes, such as\n\n    curl -N "
)

// headerSchemas are the headers of responses by name.
var headerSchemas = object{
	header("X-Request-Id", "The id of this request: the caller's own, or a new one.", object{{"type", "string"}}),
	header("Traceparent", "The W3C trace context of this request: the caller's own, or a new one.", object{{"type", "string"}}),
	header("Idempotency-Replayed", "`true` if the response repeats the outcome of another call with this `request_id`.",
		object{{"type", "string"}, {"const", "true"}}),
	header("Participant-Source",
		"Where the participant comes from: `feed`, the roster of a watch of this conference, or `list`, a list that was just read.",
		object{{"type", "string"}, {"pattern", "^(feed|list)$"}}),
	header("WWW-Authenticate", "How to authenticate.", object{{"type", "string"}, {"const", "Bearer"}}),
	header("Allow", "The methods that this path supports.", object{{"type", "string"}}),
	header("Retry-After", "The seconds to wait before the next try, from the RetryInfo.", object{{"type", "integer"}, {"minimum", 1}}),
}

func header(name, description string, schema object) member {
	return member{name, object{{"description", description}, {"schema", schema}}}
}

// headerRefs returns references to headerSchemas.
func headerRefs(names ...string) object {
	refs := make(object, len(names))
	for i, name := range names {
		refs[i] = member{name, object{{"$ref", "#/components/headers/" + name}}}
	}
	return refs
}

func successHeaders(r route) object {
	if r.method.Name() == getting {
		return responseHeaders(r).and(headerRefs("Participant-Source"))
	}
	return responseHeaders(r)
}

func responseHeaders(r route) object {
	if r.method.Name() == adding {
		return headerRefs("X-Request-Id", "Traceparent", "Idempotency-Replayed")
	}
	return headerRefs("X-Request-Id", "Traceparent")
}

// errorHeaders are the additional headers of errors by status.
var errorHeaders = map[string]string{"401": "WWW-Authenticate", "405": "Allow", "429": "Retry-After", "503": "Retry-After"}

// response returns the response object of the errors.
func (f errorResponse) response(r route) object {
	headers := responseHeaders(r)
	if name, found := errorHeaders[f.status]; found {
		headers = headers.and(headerRefs(name))
	}
	return object{
		{"description", f.description()},
		{"headers", headers},
		{"content", jsonContent(errorRef)},
	}
}

func statusText(number int) string { return strconv.Itoa(number) }
