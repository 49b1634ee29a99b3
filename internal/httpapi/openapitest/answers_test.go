package openapitest_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

const muteAll = "/v2/conferences/conf_1/mute-all"

// controls are the paths of the controls of one participant.
var controls = []string{
	participants + "/part_1/mute", participants + "/part_1/unmute", participants + "/part_1/hold",
	participants + "/part_1/resume", participants + "/part_1/disconnect",
}

// service answers every call with the values of the test.
type service struct {
	v2.UnimplementedParticipantServiceServer

	person participant.Participant
	// bare makes the responses of controls contain no participant.
	bare   bool
	events []*watch.Message
	err    error
}

func (s service) AddParticipant(context.Context, *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
	return &v2.AddParticipantResponse{Participant: wire.Participant(s.person)}, s.err
}

func (s service) RemoveParticipant(context.Context, *v2.RemoveParticipantRequest) (*v2.RemoveParticipantResponse, error) {
	return &v2.RemoveParticipantResponse{}, s.err
}

func (s service) ListParticipants(context.Context, *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
	return &v2.ListParticipantsResponse{Participants: []*v2.Participant{wire.Participant(s.person)}, Total: 1, Active: 1}, s.err
}

func (s service) GetParticipant(context.Context, *v2.GetParticipantRequest) (*v2.GetParticipantResponse, error) {
	return &v2.GetParticipantResponse{Participant: wire.Participant(s.person)}, s.err
}

// controlled is the participant in the response of a control.
func (s service) controlled() *v2.Participant {
	if s.bare {
		return nil
	}
	return wire.Participant(s.person)
}

func (s service) MuteParticipant(context.Context, *v2.MuteParticipantRequest) (*v2.MuteParticipantResponse, error) {
	return &v2.MuteParticipantResponse{Participant: s.controlled()}, s.err
}

func (s service) UnmuteParticipant(context.Context, *v2.UnmuteParticipantRequest) (*v2.UnmuteParticipantResponse, error) {
	return &v2.UnmuteParticipantResponse{Participant: s.controlled()}, s.err
}

func (s service) HoldParticipant(context.Context, *v2.HoldParticipantRequest) (*v2.HoldParticipantResponse, error) {
	return &v2.HoldParticipantResponse{Participant: s.controlled()}, s.err
}

func (s service) ResumeParticipant(context.Context, *v2.ResumeParticipantRequest) (*v2.ResumeParticipantResponse, error) {
	return &v2.ResumeParticipantResponse{Participant: s.controlled()}, s.err
}

func (s service) DisconnectParticipant(context.Context, *v2.DisconnectParticipantRequest) (*v2.DisconnectParticipantResponse, error) {
	return &v2.DisconnectParticipantResponse{Participant: s.controlled()}, s.err
}

func (s service) MuteAllParticipants(context.Context, *v2.MuteAllParticipantsRequest) (*v2.MuteAllParticipantsResponse, error) {
	return &v2.MuteAllParticipantsResponse{}, s.err
}

func (s service) RefreshParticipants(context.Context, *v2.RefreshParticipantsRequest) (*v2.RefreshParticipantsResponse, error) {
	return &v2.RefreshParticipantsResponse{}, s.err
}

func (s service) WatchParticipants(_ *v2.WatchParticipantsRequest, stream grpc.ServerStreamingServer[v2.WatchParticipantsResponse]) error {
	for _, event := range s.events {
		if err := stream.SendMsg(wire.NewMessage(event)); err != nil {
			return err
		}
	}
	return s.err
}

var (
	began = time.Date(2025, 1, 15, 10, 30, 0, 500, time.UTC)
	alice = participant.Participant{
		ID: "part_1", ConferenceID: "conf_1", PhoneNumber: "+12025551234", Name: "Alice",
		Role: participant.RolePresenter, Status: participant.StatusConnected, Duration: 12, JoinedAt: began, CreatedAt: began,
	}
	// unknownValues has values that the enums do not contain, and no optional fields.
	unknownValues = participant.Participant{ID: "part_2", ConferenceID: "conf_1", Role: "owner", Status: "ringing"}
	counts        = &watch.Counts{Total: 2, Active: 1, Visible: 2}
)

// everyEvent returns events of each kind, with and without optional fields.
func everyEvent() []*watch.Message {
	people := []participant.Participant{alice, unknownValues}
	return []*watch.Message{
		{Checkpoint: &watch.Checkpoint{Stale: true, StaleReason: apierror.UpstreamUnreachable, PollInterval: time.Second}},
		{Token: "t1", Snapshot: &watch.Snapshot{Participants: people, Total: 2, Active: 1, Reason: watch.Initial, ObservedAt: began}},
		{Token: "t2", Changes: &watch.Changes{NotBefore: began, NotAfter: began.Add(time.Second), Changes: []watch.Change{
			{Kind: watch.Added, Participant: alice},
			{Kind: watch.Updated, Participant: alice, Before: &unknownValues, ByWrite: true},
			{Kind: watch.Removed, Participant: unknownValues, Before: &unknownValues},
			{Kind: watch.LeftFilter, Participant: unknownValues, Before: &alice},
		}}},
		{Token: "t3", Checkpoint: &watch.Checkpoint{LastSuccess: began, Counts: counts, PollInterval: 1500 * time.Millisecond}},
		{Token: "t4", End: &watch.End{}},
	}
}

// check calls the HTTP port and checks the response against the document.
func check(t *testing.T, s service, method, path, accept, body string, want int) {
	t.Helper()
	handler, err := httpapi.New(httpapi.Options{Service: s, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	request.Header.Set("Accept", accept)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	response := recorder.Result()
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != want {
		t.Errorf("%s %s = %d, want %d: %s", method, path, response.StatusCode, want, read)
	}
	path, _, _ = strings.Cut(path, "?")
	if err := load(t).Check(method, path, response.StatusCode, response.Header.Get("Content-Type"), read); err != nil {
		t.Error(err)
	}
}

func TestSuccessMatchesTheDocument(t *testing.T) {
	for _, person := range []participant.Participant{alice, unknownValues} {
		s := service{person: person, events: everyEvent()}
		check(t, s, http.MethodPost, participants, "application/json", `{"phone_number":"+12025551234"}`, 200)
		check(t, s, http.MethodGet, participants, "application/json", "", 200)
		check(t, s, http.MethodDelete, participants+"/part_1", "application/json", "", 204)
		check(t, s, http.MethodGet, participants+"/part_1", "application/json", "", 200)
		check(t, s, http.MethodPost, muteAll, "application/json", "{}", 204)
		check(t, s, http.MethodPost, participants+":refresh", "application/json", "", 204)
		for _, control := range controls {
			check(t, s, http.MethodPost, control, "application/json", "", 200)
			check(t, service{bare: true}, http.MethodPost, control, "application/json", "{}", 204)
		}
		check(t, s, http.MethodGet, watchTarget, "application/x-ndjson", "", 200)
		check(t, s, http.MethodGet, watchTarget, "text/event-stream", "", 200)
	}
}

func TestStreamFailureMatchesTheDocument(t *testing.T) {
	s := service{
		events: everyEvent()[:2],
		err:    &apierror.Error{Reason: apierror.Draining, Message: "the server is shutting down", RetryAfter: time.Second},
	}
	check(t, s, http.MethodGet, watchTarget, "application/x-ndjson", "", 200)
	check(t, s, http.MethodGet, watchTarget, "text/event-stream", "", 200)
}

func TestErrorsMatchTheDocument(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{&apierror.Error{Reason: apierror.InvalidRequest, Message: "no", Violations: []apierror.Violation{{Field: "name", Rule: "name.length", Message: "is long"}}}, 400},
		{&apierror.Error{Reason: apierror.InvalidResumeToken, Message: "no token"}, 400},
		{&apierror.Error{Reason: apierror.CredentialMissing, Message: "no credential"}, 401},
		{&apierror.Error{Reason: apierror.PaymentRequired, Message: "pay", UpstreamStatus: 402}, 402},
		{&apierror.Error{Reason: apierror.RoleNotGranted, Message: "no"}, 403},
		{&apierror.Error{Reason: apierror.ConferenceNotFound, Message: "none", UpstreamStatus: 404, UpstreamRequestID: "req_1"}, 404},
		{&apierror.Error{Reason: apierror.UpstreamConflict, Message: "not now", UpstreamStatus: 409}, 409},
		{&apierror.Error{Reason: apierror.UpstreamRateLimited, Message: "slow", UpstreamStatus: 429, RetryAfter: 1500 * time.Millisecond}, 429},
		{&apierror.Error{Reason: apierror.AddRateLimited, Message: "slow", RetryAfter: time.Second, Dialled: apierror.DialledNo}, 429},
		{&apierror.Error{Reason: apierror.UpstreamRefused, Message: "tea", UpstreamStatus: 418}, 418},
		{&apierror.Error{Reason: apierror.AddOutcomeUnknown, Message: "unknown", Dialled: apierror.DialledUnknown}, 500},
		{&apierror.Error{Reason: apierror.BreakerOpen, Message: "resting", Dialled: apierror.DialledNo}, 503},
		{context.DeadlineExceeded, 504},
		{context.Canceled, 499},
		{io.ErrUnexpectedEOF, 500},
	} {
		s := service{err: test.err}
		check(t, s, http.MethodPost, participants, "application/json", `{"phone_number":"+12025551234"}`, test.want)
		check(t, s, http.MethodGet, participants, "application/json", "", test.want)
		check(t, s, http.MethodDelete, participants+"/part_1", "application/json", "", test.want)
		check(t, s, http.MethodGet, participants+"/part_1", "application/json", "", test.want)
		check(t, s, http.MethodPost, controls[0], "application/json", "", test.want)
		check(t, s, http.MethodPost, muteAll, "application/json", "", test.want)
		check(t, s, http.MethodGet, watchTarget, "text/event-stream", "", test.want)
	}
}

func TestRefusalsMatchTheDocument(t *testing.T) {
	s := service{person: alice}
	check(t, s, http.MethodPost, participants, "application/json", `{"phone_number":`, 400)
	check(t, s, http.MethodPost, participants, "application/json", strings.Repeat(" ", 65<<10), 400)
	for _, control := range []string{controls[0], muteAll, participants + ":refresh"} {
		check(t, s, http.MethodPost, control, "application/json", `{"muted":`, 400)
		check(t, s, http.MethodPost, control, "application/json", strings.Repeat(" ", 65<<10), 400)
	}
}
