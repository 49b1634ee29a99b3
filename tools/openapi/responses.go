package main

import "strconv"

func (g *generator) responses(r route) object {
	var responses object
	switch {
	case r.method.IsStreamingServer():
		responses = responses.with("200", stream(r))
	case r.answer == nil:
		responses = responses.with("204", object{
			{"description", "Done. There is no body."},
			{"headers", object{requestIDHeader, traceparentHeader}},
		})
	default:
		responses = responses.with("200", object{
			{"description", g.comments.Of(r.answer)},
			{"headers", answerHeaders(r)},
			{"content", jsonContent(ref(r.answer))},
		})
	}
	for _, refused := range refusals(r.method.Name()) {
		responses = responses.with(refused.status, refused.response(r))
	}
	return responses
}

func jsonContent(schema object) object {
	return object{{"application/json", object{{"schema", schema}}}}
}

// stream is the watch's answer in both its forms. OpenAPI 3.1 has no words for a
// stream: its schema is that of one line, or of one event's data.
func stream(r route) object {
	schema := object{{"anyOf", []object{ref(r.answer), errorRef}}}
	return object{
		{"description", streamed},
		{"headers", object{requestIDHeader, traceparentHeader}},
		{"content", object{
			{"application/x-ndjson", object{{"schema", schema.with("description", "One line.")}}},
			{"text/event-stream", object{{"schema", schema.with("description", "The data of one event.")}}},
		}},
	}
}

const streamed = "A stream that goes on until the conference is gone or one side ends it. " +
	"With `Accept: text/event-stream` it is server-sent events: `id` is the resume token, `event` is one of `snapshot`, `changes`, " +
	"`checkpoint`, `end` and `failure`, and `data` is one message in JSON, in one line. Otherwise it is one message a line. " +
	"A stream that fails after it began tells so last, by an event `failure` (without an id) or a line, which is an `Error`. " +
	"The status waits for the first outcome, at most 5 seconds."

var requestIDHeader = header("X-Request-Id",
	"The id of this request: the caller's own, or the one made for it.", object{{"type", "string"}})

var traceparentHeader = header("Traceparent",
	"The W3C trace context of this request: the caller's own, or the one made for it.", object{{"type", "string"}})

func header(name, description string, schema object) member {
	return member{name, object{{"description", description}, {"schema", schema}}}
}

func answerHeaders(r route) object {
	headers := object{requestIDHeader, traceparentHeader}
	if r.method.Name() == adding {
		headers = append(headers, replayedHeader)
	}
	return headers
}

var replayedHeader = header("Idempotency-Replayed",
	"`true` on an answer that was given before under the same `request_id`; absent otherwise.",
	object{{"type", "string"}, {"const", "true"}})

// response is the error's response, with what its status adds to the head.
func (f refusal) response(r route) object {
	headers := answerHeaders(r)
	switch f.status {
	case "401":
		headers = append(headers, header("WWW-Authenticate", "How to authenticate.", object{{"type", "string"}, {"const", "Bearer"}}))
	case "405":
		headers = append(headers, header("Allow", "The methods that this path takes.", object{{"type", "string"}}))
	case "429", "503":
		headers = append(headers, header("Retry-After", "In how many seconds to try again, where a RetryInfo tells it.",
			object{{"type", "integer"}, {"minimum", 1}}))
	}
	return object{
		{"description", f.description()},
		{"headers", headers},
		{"content", jsonContent(errorRef)},
	}
}

func statusText(number int) string { return strconv.Itoa(number) }
