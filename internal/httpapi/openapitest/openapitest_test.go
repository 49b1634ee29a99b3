package openapitest_test

import (
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/httpapi/openapitest"
)

const (
	participants = "/v2/conferences/conf_1/participants"
	watchTarget  = participants + ":watch"

	person     = `{"id":"p","conference_id":"c","phone_number":"+1","name":"","role":"","status":"ringing","muted":false,"duration":0,"joined_at":null,"created_at":null}`
	checkpoint = `{"resume_token":"","checkpoint":{"freshness":"fresh","last_success_time":null,"stale_reason":"","total":null,"active":null,"participant_count":null,"poll_interval":"1.5s"}}`
)

func load(t *testing.T) *openapitest.Document {
	t.Helper()
	document, err := openapitest.Load()
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestDescribedResponsesPass(t *testing.T) {
	document := load(t)
	for _, test := range []struct {
		method, path string
		status       int
		contentType  string
		body         string
	}{
		{"POST", participants, 200, "application/json", person},
		{"GET", participants, 200, "application/json; charset=utf-8", `{"participants":[` + person + `],"total":1,"active":0,"next_page_token":""}`},
		{"DELETE", participants + "/part_1", 204, "", ""},
		{"GET", watchTarget, 200, "application/x-ndjson", checkpoint + "\n" + checkpoint + "\n"},
		{"GET", watchTarget, 200, "text/event-stream", "retry: 2000\nevent: checkpoint\ndata: " + checkpoint + "\n\n"},
	} {
		if err := document.Check(test.method, test.path, test.status, test.contentType, []byte(test.body)); err != nil {
			t.Error(err)
		}
	}
}

func TestUndescribedResponsesFail(t *testing.T) {
	document := load(t)
	for _, test := range []struct {
		method, path string
		status       int
		contentType  string
		body, want   string
	}{
		{"GET", "/v2/other", 200, "application/json", "{}", "is not described"},
		{"PUT", participants, 200, "application/json", "{}", "is not described"},
		{"GET", participants, 201, "application/json", "{}", "the status 201"},
		{"GET", participants, 200, "text/html", "<p>", "the content type"},
		{"GET", participants, 200, "", "", "the content type"},
		{"GET", participants, 200, "application/json", "{", "decode"},
		{"GET", participants, 200, "application/json", `{"participants":[],"total":0,"active":0}`, "next_page_token"},
		{"POST", participants, 200, "application/json", strings.Replace(person, `"muted":false`, `"muted":null`, 1), "muted"},
		{"POST", participants, 200, "application/json", strings.Replace(person, `"muted"`, `"raw_role":"x","muted"`, 1), "raw_role"},
		{"DELETE", participants + "/part_1", 204, "application/json", "{}", "none is described"},
		{"GET", watchTarget, 200, "application/x-ndjson", checkpoint + "\n{}\n", "validate"},
		{"GET", watchTarget, 200, "text/event-stream", "data: {}\n\n", "validate"},
		{"GET", participants, 418, "application/json", `{"error":{"code":418,"status":"FAILED_PRECONDITION","message":"","details":[]}}`, "minItems"},
	} {
		err := document.Check(test.method, test.path, test.status, test.contentType, []byte(test.body))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %s %d %s: error = %v, want %q in it", test.method, test.path, test.status, test.body, err, test.want)
		}
	}
}
