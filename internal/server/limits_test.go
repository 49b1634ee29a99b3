package server_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

var list = &v2.ListParticipantsRequest{ConferenceId: demoConference}

// refused checks the code and reason of an error.
func refused(t *testing.T, err error, code codes.Code, reason string) (retryInfo *errdetails.RetryInfo) {
	t.Helper()
	outcome := status.Convert(err)
	var info *errdetails.ErrorInfo
	for _, detail := range outcome.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			info = detail
		case *errdetails.RetryInfo:
			retryInfo = detail
		}
	}
	if outcome.Code() != code || info.GetReason() != reason {
		t.Errorf("got %v, %v, want %v, %s", err, info, code, reason)
	}
	return retryInfo
}

// open opens a stream and waits for its first message.
func open(ctx context.Context, caller v2.ParticipantServiceClient, request *v2.WatchParticipantsRequest) error {
	stream, err := caller.WatchParticipants(ctx, request)
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}

func TestLimits_CallsPerSecond(t *testing.T) {
	r, authority := runWithClientCA(t, "--max-calls-per-second=5")
	ada, bob := r.dial(r.as(authority.Client("ada"))), r.dial(r.as(authority.Client("bob")))
	add := &v2.AddParticipantRequest{ConferenceId: demoConference, PhoneNumber: "+12025550123", RequestId: "once"}
	var err error
	for range 50 { // Refused long before: five a second are more than the machine is slow.
		if _, err = ada.AddParticipant(r.context(), add); err != nil {
			break
		}
	}
	if again := refused(t, err, codes.ResourceExhausted, "CALLER_RATE_LIMITED"); again.GetRetryDelay().AsDuration() <= 0 {
		t.Errorf("no RetryInfo: %v", err)
	}
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetMetadata()["dialled"] != "no" {
			t.Errorf("dialled: %v", info.GetMetadata())
		}
	}
	if _, err := bob.ListParticipants(r.context(), list); err != nil {
		t.Errorf("another caller's call: %v", err)
	}
	if got := r.metric(`gateway_refused_total{reason="CALLER_RATE_LIMITED"}`); !strings.HasSuffix(got, " 1") {
		t.Errorf("counted %q", got)
	}
}

func TestLimits_UnnamedCallersHaveNoLimits(t *testing.T) {
	r := run(t, "--max-calls-per-second=1", "--max-streams-per-caller=1")
	caller := r.dial(nil)
	for range 3 {
		if err := open(r.context(), caller, &v2.WatchParticipantsRequest{ConferenceId: demoConference}); err != nil {
			t.Error(err)
		}
	}
}

func TestW12_StreamsOfACaller(t *testing.T) {
	r, authority := runWithClientCA(t, "--max-streams-per-caller=2")
	watched := &v2.WatchParticipantsRequest{ConferenceId: demoConference}
	ada, bob := r.dial(r.as(authority.Client("ada"))), r.dial(r.as(authority.Client("bob")))
	first, leave := context.WithCancel(r.context())
	for _, ctx := range []context.Context{first, r.context()} {
		if err := open(ctx, ada, watched); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, open(r.context(), ada, watched), codes.ResourceExhausted, "TOO_MANY_STREAMS")
	response := r.get(r.browser(r.as(authority.Client("ada"))), r.url(":watch"))
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusTooManyRequests || !strings.Contains(string(body), "TOO_MANY_STREAMS") {
		t.Errorf("over HTTP: %s %s", response.Status, body)
	}
	if err := open(r.context(), bob, watched); err != nil {
		t.Errorf("another caller's stream: %v", err)
	}
	leave()
	r.eventually("demoConference for another", func() bool { return open(r.context(), ada, watched) == nil })
	if got := r.metric(`gateway_refused_total{reason="TOO_MANY_STREAMS"}`); got == "" {
		t.Error("not counted")
	}
}

func TestW12_TotalSubscribersAndConferences(t *testing.T) {
	r := run(t, "--max-subscribers=2", "--max-conferences=1")
	caller := r.dial(nil)
	if err := open(r.context(), caller, &v2.WatchParticipantsRequest{ConferenceId: demoConference}); err != nil {
		t.Fatal(err)
	}
	again := refused(t, open(r.context(), caller, &v2.WatchParticipantsRequest{ConferenceId: "another"}), codes.ResourceExhausted, "TOO_MANY_CONFERENCES")
	if again == nil {
		t.Error("no RetryInfo")
	}
	stream := r.get(r.browser(nil), r.url(":watch"))
	if _, err := bufio.NewReader(stream.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	response := r.get(r.browser(nil), r.url(":watch"))
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") == "" || !strings.Contains(string(body), "TOO_MANY_SUBSCRIBERS") {
		t.Errorf("the third stream: %s, Retry-After %q, %s", response.Status, response.Header.Get("Retry-After"), body)
	}
	for _, reason := range []string{"TOO_MANY_CONFERENCES", "TOO_MANY_SUBSCRIBERS"} {
		if got := r.metric(`gateway_refused_total{reason="` + reason + `"}`); !strings.HasSuffix(got, " 1") {
			t.Errorf("%s: counted %q", reason, got)
		}
	}
}

func TestLimits_ListsAreCountedBeforeOtherRules(t *testing.T) {
	caller := run(t).dial(nil)
	bad := make([]v2.ParticipantStatus, 60_000)
	ids := make([]string, 20_000)
	for i := range bad {
		bad[i] = 99
	}
	for name, request := range map[string]*v2.WatchParticipantsRequest{
		"statuses":        {ConferenceId: demoConference, Statuses: bad},
		"participant_ids": {ConferenceId: demoConference, ParticipantIds: ids},
	} {
		err := open(t.Context(), caller, request)
		refused(t, err, codes.InvalidArgument, "INVALID_REQUEST")
		for _, detail := range status.Convert(err).Details() {
			if broken, ok := detail.(*errdetails.BadRequest); ok {
				if len(broken.GetFieldViolations()) != 1 || broken.GetFieldViolations()[0].GetField() != name || broken.GetFieldViolations()[0].GetReason() != "COUNT" {
					t.Errorf("%s: %v", name, broken)
				}
			}
		}
	}
	_, err := caller.ListParticipants(t.Context(), &v2.ListParticipantsRequest{ConferenceId: demoConference, Statuses: bad[:100]})
	for _, detail := range status.Convert(err).Details() {
		if broken, ok := detail.(*errdetails.BadRequest); ok && len(broken.GetFieldViolations()) != 20 {
			t.Errorf("violations = %d", len(broken.GetFieldViolations()))
		}
	}
}

func TestLimits_Sizes(t *testing.T) {
	r := run(t)
	caller := r.dial(nil)
	large := func(n int) *v2.AddParticipantRequest {
		return &v2.AddParticipantRequest{ConferenceId: demoConference, PhoneNumber: "+12025550123", Name: strings.Repeat("a", n)}
	}
	_, err := caller.AddParticipant(r.context(), large(65<<10))
	refused(t, err, codes.InvalidArgument, "BODY_TOO_LARGE")
	_, err = caller.AddParticipant(r.context(), large(5<<20))
	refused(t, err, codes.InvalidArgument, "BODY_TOO_LARGE")
	post, err := r.browser(nil).Post(r.url(""), "application/json", strings.NewReader(strings.Repeat(" ", 65<<10)))
	if err != nil || post.StatusCode != http.StatusBadRequest {
		t.Errorf("a large body over HTTP: %v, %v", post, err)
	}
	if got := r.metric(`gateway_refused_total{reason="BODY_TOO_LARGE"}`); !strings.HasSuffix(got, " 3") {
		t.Errorf("counted %q", got)
	}

	header := metadata.AppendToOutgoingContext(r.context(), "x-large", strings.Repeat("a", 40<<10))
	_, err = caller.ListParticipants(header, list)
	refused(t, err, codes.InvalidArgument, "HEADERS_TOO_LARGE")
	request, _ := http.NewRequestWithContext(r.context(), http.MethodGet, r.url(""), http.NoBody)
	request.Header.Set("X-Large", strings.Repeat("a", 40<<10))
	response, err := r.browser(nil).Do(request)
	if err != nil || response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a large header over HTTP: %v, %v", response, err)
	}
}
