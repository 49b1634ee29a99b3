package server_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/openapitest"
)

// manyRequest watches the demo's conference, one that does not exist, and one with a text that is
// no token.
func manyRequest() *v2.WatchConferencesRequest {
	return &v2.WatchConferencesRequest{Watches: []*v2.ConferencePosition{
		{ConferenceId: demoConference}, {ConferenceId: "unknown"}, {ConferenceId: "badly", ResumeToken: "mine"},
	}}
}

// firstOfMany returns the first message of each conference, of as many as want has.
func firstOfMany(t *testing.T, want map[string]string, next func() (*v2.WatchConferencesResponse, error)) map[string]string {
	t.Helper()
	first := map[string]string{}
	for len(first) < len(want) {
		m, err := next()
		if err != nil {
			t.Errorf("got %v, then %v", first, err)
			break
		}
		if _, known := first[m.GetConferenceId()]; !known {
			first[m.GetConferenceId()] = kindOfMany(m)
		}
	}
	return first
}

func kindOfMany(m *v2.WatchConferencesResponse) string {
	switch {
	case m.GetError() != nil:
		return string(outcomeOf(status.ErrorProto(m.GetError())).reason)
	case m.GetMessage().GetSnapshot() != nil:
		return "snapshot"
	default:
		return m.String()
	}
}

var wantOfMany = map[string]string{
	demoConference: "snapshot", "unknown": string(apierror.ConferenceNotFound), "badly": string(apierror.InvalidResumeToken),
}

func checkMany(t *testing.T, name string, got, want map[string]string) {
	t.Helper()
	for conference, first := range want {
		if got[conference] != first {
			t.Errorf("%s: %s begins with %q, want %q", name, conference, got[conference], first)
		}
	}
}

func TestA16_ManyConferencesOverEveryProtocol(t *testing.T) {
	r := run(t)
	stream, err := r.dial(nil).WatchConferences(r.context(), manyRequest())
	if err != nil {
		t.Fatal(err)
	}
	checkMany(t, "gRPC", firstOfMany(t, wantOfMany, stream.Recv), wantOfMany)
	client := r.h2cClient()
	for name, options := range map[string][]connect.ClientOption{
		"Connect": nil, "Connect JSON": {connect.WithProtoJSON()}, "gRPC-Web": {connect.WithGRPCWeb()},
	} {
		caller := connect.NewClient[v2.WatchConferencesRequest, v2.WatchConferencesResponse](
			client, "http://"+r.HTTPAddr()+v2.ParticipantService_WatchConferences_FullMethodName, options...)
		ctx, leave := context.WithCancel(r.context())
		stream, err := caller.CallServerStream(ctx, connect.NewRequest(manyRequest()))
		if err != nil {
			t.Fatal(err)
		}
		checkMany(t, name, firstOfMany(t, wantOfMany, func() (*v2.WatchConferencesResponse, error) {
			if !stream.Receive() {
				return nil, stream.Err()
			}
			return stream.Msg(), nil
		}), wantOfMany)
		leave()
	}
}

// many sends a request to the REST route of many conferences.
func (r *running) many(method, query, body, accept string) *http.Response {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.context(), method, "http://"+r.HTTPAddr()+"/v2/conferences:watch"+query, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := r.browser(nil).Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { response.Body.Close() })
	return response
}

func TestA16_ManyConferencesOverREST(t *testing.T) {
	const (
		body  = `{"watches":[{"conference_id":"conf_demo"},{"conference_id":"unknown"},{"conference_id":"badly","resume_token":"mine"}],"heartbeat_interval":"5s"}`
		query = "?conference_ids=conf_demo&conference_ids=unknown&heartbeat_interval=5s"
	)
	r := run(t)
	for _, tt := range []struct {
		name, method, query, body, accept string
		want                              []string
	}{
		{"POST SSE", "POST", "", body, "text/event-stream", []string{
			"event: snapshot\ndata: {\"conference_id\":\"conf_demo\",\"message\":{\"resume_token\":\"pgw",
			"event: refused\ndata: {\"conference_id\":\"unknown\",\"error\":{\"code\":404,\"status\":\"NOT_FOUND\"",
			"event: refused\ndata: {\"conference_id\":\"badly\",\"error\":{\"code\":400,\"status\":\"INVALID_ARGUMENT\"",
		}},
		{"GET SSE", "GET", query, "", "text/event-stream", []string{
			"event: snapshot\ndata: {\"conference_id\":\"conf_demo\",\"message\":{\"resume_token\":\"pgw",
			"event: refused\ndata: {\"conference_id\":\"unknown\",\"error\":{\"code\":404,\"status\":\"NOT_FOUND\"",
		}},
		{"POST NDJSON", "POST", "", body, "", []string{
			"{\"conference_id\":\"conf_demo\",\"message\":{\"resume_token\":\"pgw",
			"{\"conference_id\":\"badly\",\"error\":{\"code\":400,",
		}},
		{"GET NDJSON", "GET", query, "", "", []string{"{\"conference_id\":\"unknown\",\"error\":{\"code\":404,"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			response := r.many(tt.method, tt.query, tt.body, tt.accept)
			if response.StatusCode != http.StatusOK {
				text, _ := io.ReadAll(response.Body)
				t.Fatalf("%s %s", response.Status, text)
			}
			var text strings.Builder
			lines := bufio.NewScanner(response.Body)
			lines.Buffer(nil, 1<<20)
			for missing := true; missing && lines.Scan(); {
				text.WriteString(lines.Text() + "\n")
				missing = false
				for _, one := range tt.want {
					missing = missing || !strings.Contains(text.String(), one)
				}
			}
			if err := lines.Err(); err != nil {
				t.Errorf("%v; received %s", err, text.String())
			}
			events := text.String()[:strings.LastIndex(text.String(), "\n")+1]
			document, err := openapitest.Load()
			if err != nil {
				t.Fatal(err)
			}
			if err := document.Check(tt.method, "/v2/conferences:watch", response.StatusCode, response.Header.Get("Content-Type"), []byte(events)); err != nil {
				t.Error(err)
			}
			if strings.Contains(text.String(), "\nid: ") || strings.HasPrefix(text.String(), "id: ") {
				t.Errorf("an event has an id: %s", text.String())
			}
		})
	}
}

func TestA16_RequestsThatAreRefused(t *testing.T) {
	r := run(t)
	long := strings.Repeat("&conference_ids=x", 101)
	for _, tt := range []struct{ name, method, query, body, field string }{
		{"none", "POST", "", `{}`, "watches"},
		{"none in a query", "GET", "", "", "conference_ids"},
		{"twice", "POST", "", `{"watches":[{"conference_id":"a"},{"conference_id":"a"}]}`, "watches"},
		{"twice in a query", "GET", "?conference_ids=a&conference_ids=a", "", "conference_ids"},
		{"too many", "GET", "?" + long[1:], "", "conference_ids"},
		{"an invalid id", "POST", "", `{"watches":[{"conference_id":"a"},{"conference_id":"a/b"}]}`, "watches[1].conference_id"},
		{"an invalid id in a query", "GET", "?conference_ids=a&conference_ids=.", "", "conference_ids[1]"},
		{"an unknown field", "POST", "", `{"watches":[{"conference":"a"}]}`, "watches[0].conference"},
		{"a short heartbeat", "GET", "?conference_ids=a&heartbeat_interval=1s", "", "heartbeat_interval"},
	} {
		response := r.many(tt.method, tt.query, tt.body, "text/event-stream")
		text, _ := io.ReadAll(response.Body)
		if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), `"field":"`+tt.field+`"`) {
			t.Errorf("%s: %s %s, want a violation of %s", tt.name, response.Status, text, tt.field)
		}
	}
	if response := r.many("DELETE", "", "", ""); response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("DELETE: %s, Allow %q", response.Status, response.Header.Get("Allow"))
	}
	if response := r.many("HEAD", "?conference_ids=conf_demo", "", "text/event-stream"); response.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %s", response.Status)
	}
}

func TestA16_RightsAreJudgedForEachConference(t *testing.T) {
	r, file, _, reader := runWithKeys(t)
	stream, err := r.dial(nil).WatchConferences(r.with("x-auth-token", reader), manyRequest())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{demoConference: "snapshot", "unknown": "CONFERENCE_NOT_GRANTED", "badly": "CONFERENCE_NOT_GRANTED"}
	checkMany(t, "at the start", firstOfMany(t, want, stream.Recv), want)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(content), " "+demoConference+" ", " conf_other ", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			t.Fatalf("the stream ended with %v before its last conference", err)
		}
		if m.GetError() != nil {
			if got := kindOfMany(m); got != "CONFERENCE_NOT_GRANTED" || m.GetConferenceId() != demoConference {
				t.Errorf("%s ended with %s", m.GetConferenceId(), got)
			}
			break
		}
	}
	if m, err := stream.Recv(); err != io.EOF { //nolint:errorlint // gRPC returns it as it is.
		t.Errorf("got %v, %v, want the end", m, err)
	}
}

func TestA16_WhatConcernsTheCallerEndsTheStream(t *testing.T) {
	r, file, writer, _ := runWithKeys(t)
	stream, err := r.dial(nil).WatchConferences(r.with("x-auth-token", writer), manyRequest())
	if err != nil {
		t.Fatal(err)
	}
	firstOfMany(t, wantOfMany, stream.Recv)
	if err := keys.Revoke(file, "desk"); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		var m *v2.WatchConferencesResponse
		if m, err = stream.Recv(); m.GetError() != nil {
			t.Errorf("%s ended alone with %v", m.GetConferenceId(), m.GetError())
		}
	}
	if got := outcomeOf(err); got != (outcome{codes.Unauthenticated, apierror.CredentialInvalid}) {
		t.Errorf("the stream ended with %v", got)
	}
}

func TestA16_ACallCountsAsOneStreamAndASubscriberOfEach(t *testing.T) {
	r, authority := runWithClientCA(t, "--max-streams-per-caller=1")
	ada := r.dial(r.as(authority.Client("ada")))
	stream, err := ada.WatchConferences(r.context(), &v2.WatchConferencesRequest{
		Watches: []*v2.ConferencePosition{{ConferenceId: demoConference}, {ConferenceId: "conf_other"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	refused(t, open(r.context(), ada, &v2.WatchParticipantsRequest{ConferenceId: demoConference}), codes.ResourceExhausted, "TOO_MANY_STREAMS")
}

func TestA16_LimitsRefuseSingleConferences(t *testing.T) {
	r := run(t, "--max-subscribers=2", "--max-conferences=1")
	want := map[string]string{demoConference: "snapshot", "unknown": "TOO_MANY_CONFERENCES"}
	stream, err := r.dial(nil).WatchConferences(r.context(), &v2.WatchConferencesRequest{
		Watches: []*v2.ConferencePosition{{ConferenceId: demoConference}, {ConferenceId: "unknown"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	checkMany(t, "gRPC", firstOfMany(t, want, stream.Recv), want)
	if got := r.metric(`gateway_refused_total{reason="TOO_MANY_CONFERENCES"}`); !strings.HasSuffix(got, " 1") {
		t.Errorf("counted %q", got)
	}
	if got := r.metric("gateway_subscribers "); !strings.HasSuffix(got, " 1") {
		t.Errorf("counted %q", got)
	}
}

func TestA16_ADrainEndsTheWholeStream(t *testing.T) {
	r := run(t, "--drain-timeout=10s")
	stream, err := r.dial(nil).WatchConferences(r.context(), manyRequest())
	if err != nil {
		t.Fatal(err)
	}
	firstOfMany(t, wantOfMany, stream.Recv)
	lines := bufio.NewReader(r.many("GET", "?conference_ids=conf_demo", "", "text/event-stream").Body)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		r.stop()
		close(stopped)
	}()
	for err == nil {
		_, err = stream.Recv()
	}
	if got := outcomeOf(err); got != (outcome{codes.Unavailable, apierror.Draining}) {
		t.Errorf("gRPC ended with %v", err)
	}
	rest, err := io.ReadAll(lines)
	if _, failure, found := strings.Cut(string(rest), "event: failure\ndata: {\"error\":"); err != nil || !found || !strings.Contains(failure, `"DRAINING"`) {
		t.Errorf("SSE ended with %v, %s", err, rest)
	}
	<-stopped
}

func TestA16_AViewerSeesMaskedNumbers(t *testing.T) {
	r, file, _, _ := runWithKeys(t)
	viewer := addKey(t, file, "lobby", "viewer", demoConference)
	var snapshot *v2.ParticipantSnapshot
	r.eventually("a snapshot for the viewer", func() bool {
		stream, err := r.dial(nil).WatchConferences(r.with("x-auth-token", viewer), &v2.WatchConferencesRequest{
			Watches: []*v2.ConferencePosition{{ConferenceId: demoConference}},
		})
		if err != nil {
			t.Fatal(err)
		}
		m, err := stream.Recv()
		snapshot = m.GetMessage().GetSnapshot()
		return err == nil && len(snapshot.GetParticipants()) > 0
	})
	for _, p := range snapshot.GetParticipants() {
		if !strings.HasPrefix(p.GetPhoneNumber(), "+*") {
			t.Errorf("the viewer sees %s", p.GetPhoneNumber())
		}
	}
}
