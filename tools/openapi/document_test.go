package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

const (
	participants = "/v2/conferences/{conference_id}/participants"
	one          = participants + "/{participant_id}"
	watch        = participants + ":watch"
	refresh      = participants + ":refresh"
	muteAll      = "/v2/conferences/{conference_id}/mute-all"
)

func TestOperations(t *testing.T) {
	document := decoded(t)
	const (
		ofOne         = "Grpc-Timeout X-Request-Id conference_id participant_id traceparent"
		ofConference  = "Grpc-Timeout X-Request-Id conference_id traceparent"
		controlErrors = " 400 401 402 403 404 405 409 415 429 431 499 4XX 500 503 504"
	)
	for _, test := range []struct {
		path, verb, id string
		parameters     string
		success, media string
		statuses       string
		headers        string
	}{
		{
			participants, "post", "addParticipant",
			"Grpc-Timeout Idempotency-Key X-Request-Id conference_id traceparent", "200", "application/json",
			"200 400 401 402 403 404 405 409 415 429 431 499 4XX 500 503 504", "Idempotency-Replayed Traceparent X-Request-Id",
		},
		{
			participants, "get", "listParticipants",
			"Grpc-Timeout X-Request-Id conference_id page_size page_token roles statuses traceparent", "200", "application/json",
			"200 400 401 402 403 404 405 409 429 431 499 4XX 500 503 504", "Traceparent X-Request-Id",
		},
		{
			one, "delete", "removeParticipant",
			"Grpc-Timeout X-Request-Id conference_id participant_id traceparent", "204", "",
			"204 400 401 402 403 404 405 409 429 431 499 4XX 500 503 504", "Traceparent X-Request-Id",
		},
		{
			watch, "get", "watchParticipants",
			"Grpc-Timeout Last-Event-ID X-Request-Id conference_id heartbeat_interval participant_ids resume_token roles statuses traceparent",
			"200", "application/x-ndjson text/event-stream",
			"200 400 401 402 403 404 405 409 429 431 499 4XX 500 503 504", "Traceparent X-Request-Id",
		},
		{
			one, "get", "getParticipant", ofOne, "200", "application/json",
			"200 400 401 402 403 404 405 409 429 431 499 4XX 500 503 504", "Participant-Source Traceparent X-Request-Id",
		},
		{one + "/mute", "post", "muteParticipant", ofOne, "200", "application/json", "200 204" + controlErrors, "Traceparent X-Request-Id"},
		{one + "/unmute", "post", "unmuteParticipant", ofOne, "204", "", "200 204" + controlErrors, "Traceparent X-Request-Id"},
		{one + "/hold", "post", "holdParticipant", ofOne, "200", "application/json", "200 204" + controlErrors, "Traceparent X-Request-Id"},
		{one + "/resume", "post", "resumeParticipant", ofOne, "204", "", "200 204" + controlErrors, "Traceparent X-Request-Id"},
		{one + "/disconnect", "post", "disconnectParticipant", ofOne, "200", "application/json", "200 204" + controlErrors, "Traceparent X-Request-Id"},
		{muteAll, "post", "muteAllParticipants", ofConference, "204", "", "204" + controlErrors, "Traceparent X-Request-Id"},
		{
			refresh, "post", "refreshParticipants", ofConference, "204", "",
			"204 400 401 403 405 415 429 431 499 500 503 504", "Traceparent X-Request-Id",
		},
	} {
		operation := at[map[string]any](t, document, "paths", test.path, test.verb)
		if got := at[string](t, operation, "operationId"); got != test.id {
			t.Errorf("%s %s is %s, want %s", test.verb, test.path, got, test.id)
		}
		var names []string
		for _, parameter := range at[[]any](t, operation, "parameters") {
			names = append(names, at[string](t, parameter, "name"))
		}
		slices.Sort(names)
		success := at[map[string]any](t, operation, "responses", test.success)
		content, _ := success["content"].(map[string]any)
		for what, pair := range map[string][2]string{
			"parameters": {strings.Join(names, " "), test.parameters},
			"statuses":   {keys(at[map[string]any](t, operation, "responses")), test.statuses},
			"media":      {keys(content), test.media},
			"headers":    {keys(at[map[string]any](t, success, "headers")), test.headers},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s: %s are\n%s, want\n%s", test.id, what, pair[0], pair[1])
			}
		}
	}
}

func TestBodies(t *testing.T) {
	document := decoded(t)
	for path, item := range at[map[string]any](t, document, "paths") {
		for verb, operation := range item.(map[string]any) {
			body, hasBody := operation.(map[string]any)["requestBody"]
			hasFields := verb == "post" && slices.Contains([]string{participants, participants + ":batchAdd", "/v2/conferences:watch"}, path)
			if hasBody != hasFields {
				t.Errorf("%s %s has the body %v", verb, path, body)
			}
			note := strings.Contains(at[string](t, operation, "description"), "The request has no body.")
			if want := verb == "post" && !hasFields; note != want {
				t.Errorf("%s %s says that there is no body: %t", verb, path, note)
			}
			if hasFields && !at[bool](t, body, "required") {
				t.Errorf("the body of %s is optional", path)
			}
		}
	}
}

func TestReasonsOfACall(t *testing.T) {
	document := decoded(t)
	for _, test := range []struct {
		path, verb, status, reason string
		want                       bool
	}{
		{one, "get", "404", "PARTICIPANT_NOT_FOUND", true},
		{one, "get", "503", "UPSTREAM_INCOMPLETE", true},
		{one, "get", "403", "ORIGIN_REFUSED", false},
		{one, "get", "400", "BODY_TOO_LARGE", false},
		{one + "/mute", "post", "404", "PARTICIPANT_NOT_FOUND", true},
		{one + "/disconnect", "post", "403", "ORIGIN_REFUSED", true},
		{one + "/hold", "post", "400", "UNSUPPORTED_MEDIA_TYPE", true},
		{one + "/hold", "post", "409", "UPSTREAM_CONFLICT", true},
		{one + "/hold", "post", "409", "CONFERENCE_FULL", false},
		{one + "/resume", "post", "503", "UPSTREAM_INCOMPLETE", false},
		{muteAll, "post", "404", "PARTICIPANT_NOT_FOUND", false},
		{muteAll, "post", "404", "CONFERENCE_NOT_FOUND", true},
		{muteAll, "post", "403", "ORIGIN_REFUSED", true},
		{refresh, "post", "403", "ORIGIN_REFUSED", true},
		{refresh, "post", "403", "UPSTREAM_FORBIDDEN", false},
		{refresh, "post", "503", "UPSTREAM_UNAVAILABLE", false},
	} {
		description := at[string](t, document, "paths", test.path, test.verb, "responses", test.status, "description")
		if strings.Contains(description, "`"+test.reason+"`") != test.want {
			t.Errorf("%s %s %s: %s is documented: %t", test.verb, test.path, test.status, test.reason, !test.want)
		}
	}
}

func TestErrorHeaders(t *testing.T) {
	document := decoded(t)
	for status, header := range map[string]string{
		"401": "WWW-Authenticate", "405": "Allow", "429": "Retry-After", "503": "Retry-After",
	} {
		at[map[string]any](t, document, "paths", participants, "post", "responses", status, "headers", header)
		at[map[string]any](t, document, "paths", participants, "post", "responses", status, "headers", "Idempotency-Replayed")
	}
}

func TestSchemas(t *testing.T) {
	document := decoded(t)
	schema := func(path ...string) map[string]any {
		return at[map[string]any](t, document, append([]string{"components", "schemas"}, path...)...)
	}
	if got := keys(schema("Participant", "properties")); got !=
		"conference_id created_at duration id joined_at muted name phone_number role status" {
		t.Errorf("a participant has %s", got)
	}
	if got := len(at[[]any](t, schema("Participant"), "required")); got != 10 {
		t.Errorf("%d fields of a participant are required, want all 10", got)
	}
	if got := joined(at[[]any](t, schema("ParticipantStatus"), "enum")); got != "pending dialing connected held disconnected rejected" {
		t.Errorf("statuses are %s", got)
	}
	if got := joined(at[[]any](t, schema("Participant", "properties", "joined_at"), "type")); got != "string null" {
		t.Errorf("joined_at is %s", got)
	}
	if got := joined(at[[]any](t, schema("AddParticipantRequest"), "required")); got != "phone_number" {
		t.Errorf("an add needs %s", got)
	}
	if got := at[bool](t, schema("AddParticipantRequest"), "additionalProperties"); got {
		t.Error("an add allows unknown fields")
	}
	for _, absent := range []string{"RemoveParticipantResponse", "AddParticipantResponse", "ListParticipantsRequest", "GetParticipantResponse", "MuteParticipantRequest", "MuteAllParticipantsResponse"} {
		if _, found := at[map[string]any](t, document, "components", "schemas")[absent]; found {
			t.Errorf("%s is in no body but has a schema", absent)
		}
	}
}

func TestEverythingIsDescribed(t *testing.T) {
	document := decoded(t)
	for name, schema := range at[map[string]any](t, document, "components", "schemas") {
		if at[string](t, schema, "description") == "" {
			t.Errorf("%s has no description", name)
		}
	}
	for path, item := range at[map[string]any](t, document, "paths") {
		for verb, operation := range item.(map[string]any) {
			for _, parameter := range at[[]any](t, operation, "parameters") {
				if at[string](t, parameter, "description") == "" {
					t.Errorf("%s %s: %s has no description", verb, path, at[string](t, parameter, "name"))
				}
			}
		}
	}
}

func keys(object map[string]any) string { return strings.Join(slices.Sorted(maps.Keys(object)), " ") }

func joined(list []any) string {
	texts := make([]string, len(list))
	for i, word := range list {
		texts[i] = word.(string)
	}
	return strings.Join(texts, " ")
}
