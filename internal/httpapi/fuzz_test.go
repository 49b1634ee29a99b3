package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/wire"
)

// sendable is a header's value as net/http hands it over: trimmed, and empty where it
// is one that net/http refuses by itself.
func sendable(value string) string {
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return ""
	}
	return strings.Trim(value, " \t")
}

// asked gives what the handler answers to a request that a client could send.
func asked(h http.Handler, method, path, query, body string, header http.Header) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, iotest.HalfReader(strings.NewReader(body)))
	request.URL.RawQuery = query
	for name := range header {
		if value := sendable(header.Get(name)); value != "" {
			request.Header.Set(name, value)
		}
	}
	answered := httptest.NewRecorder()
	h.ServeHTTP(answered, request)
	return answered
}

// sound fails unless an answer is one that the document describes: a success, or an
// error of the caller's with a body.
func sound(t *testing.T, answered *httptest.ResponseRecorder) {
	t.Helper()
	body, status := jsontext.Value(answered.Body.Bytes()), answered.Code
	switch {
	case status == http.StatusNoContent && len(body) == 0:
	case !body.IsValid():
		t.Errorf("%d, and no JSON: %q", status, body)
	case status == http.StatusOK:
	case status < 400, status >= 500 && status != http.StatusGatewayTimeout:
		t.Errorf("answered %d %s", status, body)
	case !strings.Contains(string(body), `"domain":"participant-gateway"`):
		t.Errorf("%d, and no reason: %s", status, body)
	}
}

// open is a handler for all runs of a fuzz target.
func open(f *testing.F, service *fake) http.Handler {
	f.Helper()
	h, err := New(Options{Service: service, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	return h
}

// strays is what a service that answers every call got with ids but those of its path.
func strays() (service *fake, stray *atomic.Bool) {
	stray = new(atomic.Bool)
	note := func(conference, id string) {
		if conference != "conf_1" || id != "" && id != "part_1" {
			stray.Store(true)
		}
	}
	return &fake{
		add: func(_ context.Context, r *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
			note(r.GetConferenceId(), "")
			return &v2.AddParticipantResponse{Participant: &v2.Participant{Id: "part_1"}}, nil
		},
		remove: func(_ context.Context, r *v2.RemoveParticipantRequest) (*v2.RemoveParticipantResponse, error) {
			note(r.GetConferenceId(), r.GetParticipantId())
			return &v2.RemoveParticipantResponse{}, nil
		},
		list: func(_ context.Context, r *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
			note(r.GetConferenceId(), "")
			return &v2.ListParticipantsResponse{}, nil
		},
	}, stray
}

// FuzzRequest holds that no unary request is answered with a fault of ours, and that
// none reaches the service with an id but those of its path.
func FuzzRequest(f *testing.F) {
	service, stray := strays()
	h := open(f, service)
	f.Add("POST", "", `{"phone_number":"+12025551234","name":"John"}`, "application/json", "key-1", "10S")
	f.Add("GET", "statuses=held&roles=presenter&page_size=5&page_token=x", "", "", "", "99999999H")
	f.Fuzz(func(t *testing.T, method, query, body, contentType, key, timeout string) {
		path := participantsPath
		switch method {
		case http.MethodGet, http.MethodPost, http.MethodPut:
		default:
			method, path = http.MethodDelete, onePath
		}
		answered := asked(h, method, path, query, body, http.Header{
			"Content-Type": {contentType}, "Idempotency-Key": {key}, "Grpc-Timeout": {timeout},
		})
		sound(t, answered)
		if stray.Load() {
			t.Error("the service got an id that its path does not name")
		}
	})
}

// FuzzStreamHeaders holds that whatever a client accepts it is sent one of the two
// forms, and that the service is asked to go on from the Last-Event-ID.
func FuzzStreamHeaders(f *testing.F) {
	var token atomic.Value
	h := open(f, &fake{watch: func(r *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		token.Store(r.GetResumeToken())
		return s.SendMsg(wire.NewMessage(heartbeat("t1")))
	}})
	f.Add("text/event-stream", "t1")
	f.Add("application/x-ndjson;q=0.5, text/event-stream;q=0", "")
	f.Fuzz(func(t *testing.T, accept, last string) {
		token.Store("never asked")
		answered := asked(h, http.MethodGet, watchedPath, "resume_token=older", "", http.Header{"Accept": {accept}, "Last-Event-Id": {last}})
		want := map[string]string{"text/event-stream": "id: t1\nevent: checkpoint\ndata: " + heartbeatJSON("t1") + "\n\n", "application/x-ndjson": heartbeatJSON("t1") + "\n"}
		form := answered.Header().Get("Content-Type")
		if _, body, _ := strings.Cut("\n"+answered.Body.String(), "\n"); answered.Code != http.StatusOK || want[form] == "" || !strings.HasSuffix(body, want[form]) {
			t.Errorf("%d %q: %q", answered.Code, form, body)
		}
		if got, want := token.Load(), cmp.Or(sendable(last), "older"); got != want {
			t.Errorf("asked to go on from %q, want %q", got, want)
		}
	})
}
