package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
)

// largestMany is the largest valid request: 100 ids of 128 characters of four bytes, with tokens of
// such conferences.
func largestMany(t *testing.T) *v2.WatchConferencesRequest {
	t.Helper()
	request := &v2.WatchConferencesRequest{}
	for i := range 100 {
		request.Watches = append(request.Watches, &v2.ConferencePosition{
			ConferenceId: fmt.Sprintf("%03d%s", i, strings.Repeat("😀", 125)),
			ResumeToken:  "pgw1." + strings.Repeat("x", 800),
		})
	}
	if size := proto.Size(request); size < 64<<10 {
		t.Fatalf("%d bytes are not above the limit of other calls", size)
	}
	return request
}

// TestA16_TheLargestRequestIsRead expects that every conference is refused alone: the tokens are none.
func TestA16_TheLargestRequestIsRead(t *testing.T) {
	r := run(t)
	request := largestMany(t)
	want := map[string]string{}
	for _, one := range request.GetWatches() {
		want[one.GetConferenceId()] = string(apierror.InvalidResumeToken)
	}
	stream, err := r.dial(nil).WatchConferences(r.context(), request)
	if err != nil {
		t.Fatal(err)
	}
	checkMany(t, "gRPC", firstOfMany(t, want, stream.Recv), want)
	client := r.h2cClient()
	for name, options := range map[string][]connect.ClientOption{
		"Connect": nil, "Connect JSON": {connect.WithProtoJSON()}, "gRPC-Web": {connect.WithGRPCWeb()},
	} {
		caller := connect.NewClient[v2.WatchConferencesRequest, v2.WatchConferencesResponse](
			client, "http://"+r.HTTPAddr()+v2.ParticipantService_WatchConferences_FullMethodName, options...)
		stream, err := caller.CallServerStream(r.context(), connect.NewRequest(request))
		if err != nil {
			t.Fatal(err)
		}
		checkMany(t, name, firstOfMany(t, want, func() (*v2.WatchConferencesResponse, error) {
			if !stream.Receive() {
				return nil, stream.Err()
			}
			return stream.Msg(), nil
		}), want)
	}
	body, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	response := r.many("POST", "", string(body), "")
	text := readAll(t, response)
	if response.StatusCode != http.StatusOK || strings.Count(text, "INVALID_RESUME_TOKEN") < len(want) {
		t.Errorf("REST: %s, %.200s", response.Status, text)
	}
}

func TestA16_FormsOfTheRESTRequest(t *testing.T) {
	r := run(t)
	const body = `{"watches":[{"conference_id":"conf_demo"}]}`
	for _, tt := range []struct {
		name, method, query, body, accept string
		status                            int
		want                              string
	}{
		{"ids in the query of a POST", "POST", "?conference_ids=a", body, "", 400, `"field":"conference_ids"`},
		{"an unknown key", "GET", "?conference_ids=a&resume_token=x", "", "", 400, `"field":"resume_token"`},
		{"watches in a query", "GET", "?watches=a", "", "", 400, `"field":"watches"`},
		{"a filter of participants", "GET", "?conference_ids=a&participant_ids=p", "", "", 400, `"field":"participant_ids"`},
		{"conference_ids in a body", "POST", "", `{"conference_ids":["a"]}`, "", 400, `"field":"conference_ids"`},
		{"an unspecified filter", "GET", "?conference_ids=a&statuses=PARTICIPANT_STATUS_UNSPECIFIED", "", "", 400, `"field":"statuses`},
		{"a trailing slash", "GET", "/?conference_ids=a", "", "", 404, "ROUTE_NOT_FOUND"},
	} {
		response := r.many(tt.method, tt.query, tt.body, tt.accept)
		if text := readAll(t, response); response.StatusCode != tt.status || !strings.Contains(text, tt.want) {
			t.Errorf("%s: %s %s", tt.name, response.Status, text)
		}
	}
	for _, tt := range []struct{ accept, want string }{
		{"", "application/x-ndjson"},
		{"text/event-stream;q=0.5, application/x-ndjson", "application/x-ndjson"},
		{"text/event-stream, application/x-ndjson;q=0.5", "text/event-stream"},
	} {
		for method, query := range map[string]string{"GET": "?conference_ids=conf_demo", "HEAD": "?conference_ids=conf_demo", "POST": ""} {
			sent := ""
			if method == "POST" {
				sent = body
			}
			response := r.many(method, query, sent, tt.accept)
			if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != tt.want {
				t.Errorf("%s, accept %q: %s, %s", method, tt.accept, response.Status, got)
			}
		}
	}
}

func TestA16_AnAgedStreamEndsAsAWhole(t *testing.T) {
	r := run(t, "--max-stream-age=1s")
	stream, err := r.dial(nil).WatchConferences(r.context(), manyRequest())
	for err == nil {
		var m *v2.WatchConferencesResponse
		if m, err = stream.Recv(); m.GetConferenceId() == demoConference && m.GetError() != nil {
			t.Errorf("the conference ended alone with %v", m.GetError())
		}
	}
	if got := outcomeOf(err); got != (outcome{codes.Unavailable, apierror.StreamAged}) {
		t.Errorf("the stream ended with %v", err)
	}
}

func readAll(t *testing.T, response *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
