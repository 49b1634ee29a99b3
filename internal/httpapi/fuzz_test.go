package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/wire"
)

// headerValue returns a header's value as net/http passes it on: trimmed, and empty where
// net/http itself refuses it.
func headerValue(value string) string {
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return ""
	}
	return strings.Trim(value, " \t")
}

// send passes a request to the handler as net/http would.
func send(h http.Handler, method, path, query, body string, header http.Header) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, iotest.HalfReader(strings.NewReader(body)))
	request.URL.RawQuery = query
	for name := range header {
		if value := headerValue(header.Get(name)); value != "" {
			request.Header.Set(name, value)
		}
	}
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	return recorder
}

// checkResponse fails unless a response is one that the OpenAPI document describes: a
// success, or a client error with a body.
func checkResponse(t *testing.T, recorder *httptest.ResponseRecorder) {
	t.Helper()
	body, status := jsontext.Value(recorder.Body.Bytes()), recorder.Code
	switch {
	case status == http.StatusNoContent && len(body) == 0:
	case !body.IsValid():
		t.Errorf("%d, not JSON: %q", status, body)
	case status == http.StatusOK:
	case status < 400, status >= 500 && status != http.StatusGatewayTimeout:
		t.Errorf("status %d: %s", status, body)
	case !strings.Contains(string(body), `"domain":"participant-gateway"`):
		t.Errorf("%d, no reason: %s", status, body)
	}
}

// newHandler returns a handler for all runs of a fuzz target.
func newHandler(f *testing.F, service *fakeService) http.Handler {
	f.Helper()
	h, err := New(Options{Service: service, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	return h
}

// recordingService returns a service that sets wrongID when a call has other ids than those
// in its path.
func recordingService() (service *fakeService, wrongID *atomic.Bool) {
	wrongID = new(atomic.Bool)
	note := func(conference, id string) {
		if conference != "conf_1" || id != "" && id != "part_1" {
			wrongID.Store(true)
		}
	}
	return &fakeService{
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
		other: func(_ context.Context, r proto.Message) (*v2.Participant, error) {
			one, _ := r.(interface{ GetParticipantId() string })
			var id string
			if one != nil {
				id = one.GetParticipantId()
			}
			conference, _ := r.(interface{ GetConferenceId() string })
			note(conference.GetConferenceId(), id)
			return &v2.Participant{Id: "part_1"}, nil
		},
	}, wrongID
}

// fuzzedControls are the paths of calls with an empty body, by a name for the seeds.
var fuzzedControls = map[string]string{
	"mute": onePath + "/mute", "disconnect": onePath + "/disconnect", "mute-all": muteAllPath, "refresh": refreshPath,
}

// FuzzRequest checks that no unary request causes a server error, or reaches the service
// with an id that is not in its path.
func FuzzRequest(f *testing.F) {
	service, wrongID := recordingService()
	h := newHandler(f, service)
	f.Add("POST", "", `{"phone_number":"+12025551234","name":"John"}`, "application/json", "key-1", "10S")
	f.Add("GET", "statuses=held&roles=presenter&page_size=5&page_token=x", "", "", "", "99999999H")
	f.Add("get", "", "", "", "", "")
	for name := range fuzzedControls {
		f.Add(name, "", "{}", "application/json", "", "5S")
		f.Add(name, "", "", "application/x-www-form-urlencoded", "key-1", "")
		f.Add(name, "muted=true", `{"conference_id":"conf_2","muted":true}`, "application/json", "", "")
	}
	f.Fuzz(func(t *testing.T, method, query, body, contentType, key, timeout string) {
		path := participantsPath
		switch control, isControl := fuzzedControls[method]; {
		case isControl:
			method, path = http.MethodPost, control
		case method == "get":
			method, path = http.MethodGet, onePath
		case method == http.MethodGet, method == http.MethodPost, method == http.MethodPut:
		default:
			method, path = http.MethodDelete, onePath
		}
		recorder := send(h, method, path, query, body, http.Header{
			"Content-Type": {contentType}, "Idempotency-Key": {key}, "Grpc-Timeout": {timeout},
		})
		checkResponse(t, recorder)
		if wrongID.Load() {
			t.Error("the service received an id that is not in the path")
		}
	})
}

// FuzzStreamHeaders checks that every Accept header selects one of the two formats, and that
// the service receives the Last-Event-ID as resume token.
func FuzzStreamHeaders(f *testing.F) {
	var token atomic.Value
	h := newHandler(f, &fakeService{watch: func(r *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		token.Store(r.GetResumeToken())
		return s.SendMsg(wire.NewMessage(checkpoint("t1")))
	}})
	f.Add("text/event-stream", "t1")
	f.Add("application/x-ndjson;q=0.5, text/event-stream;q=0", "")
	f.Fuzz(func(t *testing.T, accept, last string) {
		token.Store("not called")
		recorder := send(h, http.MethodGet, watchedPath, "resume_token=older", "", http.Header{"Accept": {accept}, "Last-Event-Id": {last}})
		want := map[string]string{"text/event-stream": "id: t1\nevent: checkpoint\ndata: " + checkpointJSON("t1") + "\n\n", "application/x-ndjson": checkpointJSON("t1") + "\n"}
		format := recorder.Header().Get("Content-Type")
		if _, body, _ := strings.Cut("\n"+recorder.Body.String(), "\n"); recorder.Code != http.StatusOK || want[format] == "" || !strings.HasSuffix(body, want[format]) {
			t.Errorf("%d %q: %q", recorder.Code, format, body)
		}
		if got, want := token.Load(), cmp.Or(headerValue(last), "older"); got != want {
			t.Errorf("resume token = %q, want %q", got, want)
		}
	})
}

// FuzzPath checks that every path has a response that the OpenAPI document describes, that the
// service receives the request of the path's method, and that a path with other methods names
// them.
func FuzzPath(f *testing.F) {
	var received atomic.Value
	service := newFake(f)
	service.other = func(_ context.Context, r proto.Message) (*v2.Participant, error) {
		received.Store(r.ProtoReflect().IsValid())
		return &v2.Participant{}, nil
	}
	h := newHandler(f, service)
	for _, path := range []string{
		"conf_1/participants", "conf_1/participants/p", "c/participants:watch", "c/participants%3Arefresh", "c/participants/p/mute",
		"c/mute-all", "x:refresh/participants/y:watch", "c/participants/:watch", "c%2Fd/participants/%2e%2e/hold", "c/participants//resume",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "PATCH"} {
			f.Add(method, path)
		}
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		target, err := url.ParseRequestURI("/v2/conferences/" + path)
		if err != nil || target.RawQuery != "" || target.ForceQuery || !slices.Contains([]string{"GET", "HEAD", "POST", "DELETE", "PATCH"}, method) {
			return
		}
		received.Store(true)
		request := httptest.NewRequest(method, "/", http.NoBody)
		request.URL = target
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, request)
		if recorder.Body.Len() > 0 {
			checkResponse(t, recorder)
		}
		if received.Load() != true {
			t.Error("the service received no request")
		}
		if allow := recorder.Header().Get("Allow"); (recorder.Code == http.StatusMethodNotAllowed) != (allow != "") {
			t.Errorf("%d, Allow: %q", recorder.Code, allow)
		}
	})
}
