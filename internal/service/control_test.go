package service

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/write"
)

// controlAccount is an account that answers controls only.
type controlAccount struct {
	Account

	sent  []string
	shows participant.Item
	fails error
}

func (a *controlAccount) For(access.Caller) (Account, error)   { return a, nil }
func (a *controlAccount) Fingerprint() participant.Fingerprint { return participant.Fingerprint{1} }

func (a *controlAccount) Control(_ context.Context, conference, id string, control participant.Control) (participant.Item, error) {
	a.sent = append(a.sent, conference+" "+id+" "+control.String())
	item := a.shows
	item.ID, item.ConferenceID = id, conference
	return item, a.fails
}

func (a *controlAccount) MuteAll(_ context.Context, conference string) error {
	a.sent = append(a.sent, conference+" mute-all")
	return a.fails
}

// noFeeds is the recorder of a gateway without feeds.
type noFeeds struct{ write.Recorder }

func (noFeeds) BeginControl(context.Context, participant.Key) write.ControlRecord { return noFeeds{} }
func (noFeeds) BringForward(context.Context, participant.Key)                     {}
func (noFeeds) Done(participant.Controlled)                                       {}

func (a *controlAccount) service(t *testing.T) *Service {
	t.Helper()
	writer := write.New(write.Options{Recorder: noFeeds{}, Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(writer.Close)
	return New(Options{Accounts: a, Writer: writer})
}

type participantResponse interface {
	proto.Message
	GetParticipant() *v2.Participant
}

// everyControl calls each control of a participant.
var everyControl = map[string]func(ctx context.Context, s *Service) (participantResponse, error){
	"mute": func(ctx context.Context, s *Service) (participantResponse, error) {
		return s.MuteParticipant(ctx, &v2.MuteParticipantRequest{ConferenceId: "c", ParticipantId: "p"})
	},
	"unmute": func(ctx context.Context, s *Service) (participantResponse, error) {
		return s.UnmuteParticipant(ctx, &v2.UnmuteParticipantRequest{ConferenceId: "c", ParticipantId: "p"})
	},
	"hold": func(ctx context.Context, s *Service) (participantResponse, error) {
		return s.HoldParticipant(ctx, &v2.HoldParticipantRequest{ConferenceId: "c", ParticipantId: "p"})
	},
	"resume": func(ctx context.Context, s *Service) (participantResponse, error) {
		return s.ResumeParticipant(ctx, &v2.ResumeParticipantRequest{ConferenceId: "c", ParticipantId: "p"})
	},
	"disconnect": func(ctx context.Context, s *Service) (participantResponse, error) {
		return s.DisconnectParticipant(ctx, &v2.DisconnectParticipantRequest{ConferenceId: "c", ParticipantId: "p"})
	},
}

func TestA08_TheResponseContainsTheParticipantOfTheAnswer(t *testing.T) {
	shown := participant.Participant{
		Name: "Ada", Role: participant.RoleListener, Status: participant.StatusConnected, Muted: true, Duration: 7,
	}
	for name, call := range everyControl {
		account := &controlAccount{shows: participant.Item{Participant: shown, Fields: participant.AllFields}}
		response, err := call(t.Context(), account.service(t))
		want := &v2.Participant{
			Id: "p", ConferenceId: "c", Name: "Ada", Role: v2.ParticipantRole_PARTICIPANT_ROLE_LISTENER,
			Status: v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED, Muted: true, Duration: 7,
		}
		if err != nil || !proto.Equal(response.GetParticipant(), want) {
			t.Errorf("%s: got %v, %v", name, response, err)
		}
		if got := strings.Join(account.sent, ", "); got != "c p "+name {
			t.Errorf("%s: sent %s", name, got)
		}
	}
}

func TestA08_TheResponseIsEmptyIfTheAnswerContainsNoParticipant(t *testing.T) {
	for name, call := range everyControl {
		response, err := call(t.Context(), (&controlAccount{}).service(t))
		if err != nil || response.GetParticipant() != nil || proto.Size(response) != 0 {
			t.Errorf("%s: got %v, %v", name, response, err)
		}
	}
}

// TestA08_AMissingFieldIsWhatTheControlSays lets the answer contain only the name.
func TestA08_AMissingFieldIsWhatTheControlSays(t *testing.T) {
	const connected, held = v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED, v2.ParticipantStatus_PARTICIPANT_STATUS_HELD
	wants := map[string]*v2.Participant{
		"mute":       {Id: "p", ConferenceId: "c", Name: "Ada", Muted: true},
		"unmute":     {Id: "p", ConferenceId: "c", Name: "Ada"},
		"hold":       {Id: "p", ConferenceId: "c", Name: "Ada", Status: held},
		"resume":     {Id: "p", ConferenceId: "c", Name: "Ada", Status: connected},
		"disconnect": {Id: "p", ConferenceId: "c", Name: "Ada", Status: v2.ParticipantStatus_PARTICIPANT_STATUS_DISCONNECTED},
	}
	for name, call := range everyControl {
		account := &controlAccount{shows: participant.Item{
			Participant: participant.Participant{Name: "Ada"}, Fields: participant.FieldName,
		}}
		response, err := call(t.Context(), account.service(t))
		if err != nil || !proto.Equal(response.GetParticipant(), wants[name]) {
			t.Errorf("%s: got %v, %v", name, response, err)
		}
	}
}

func TestA08_AControlThatFailsHasNoResponse(t *testing.T) {
	refused := &apierror.Error{Reason: apierror.ParticipantNotFound, UpstreamStatus: 404, FromUpstream: true}
	account := &controlAccount{fails: refused}
	s := account.service(t)
	for name, call := range everyControl {
		if _, err := call(t.Context(), s); apierror.ReasonOf(err) != apierror.ParticipantNotFound {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := s.MuteAllParticipants(t.Context(), &v2.MuteAllParticipantsRequest{ConferenceId: "c"}); apierror.ReasonOf(err) != apierror.ParticipantNotFound {
		t.Errorf("mute-all: got %v", err)
	}
}

func TestA08_MuteAllNamesTheConference(t *testing.T) {
	account := &controlAccount{}
	_, err := account.service(t).MuteAllParticipants(t.Context(), &v2.MuteAllParticipantsRequest{ConferenceId: "c"})
	if got := strings.Join(account.sent, ", "); err != nil || got != "c mute-all" {
		t.Errorf("sent %s, %v", got, err)
	}
}
