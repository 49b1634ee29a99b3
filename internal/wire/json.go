package wire

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/jsonformat"
)

// Marshal encodes participants, lists and events as JSON. The response of an add is the
// participant itself, that of a remove is empty.
func Marshal(message proto.Message) ([]byte, error) {
	switch m := message.(type) {
	case *v2.Participant:
		if m == nil {
			break
		}
		return marshal("participant", participantJSONOf(m))
	case *v2.AddParticipantResponse:
		return Marshal(m.GetParticipant())
	case *v2.RemoveParticipantResponse, *v2.MuteAllParticipantsResponse, *v2.RefreshParticipantsResponse:
		return nil, nil
	case *v2.ListParticipantsResponse:
		return marshal("list", listJSONOf(m))
	case *v2.WatchParticipantsResponse:
		return marshal("event", eventJSONOf(m))
	case *v2.WatchConferencesResponse:
		return marshal("refusal", refusalJSON{m.GetConferenceId(), errorJSON(m.GetError())})
	case *v2.BatchAddParticipantsResponse:
		return marshal("batch", batchJSONOf(m))
	}
	return nil, fmt.Errorf("encode JSON: no form for %T", message)
}

func marshal(what string, value any) ([]byte, error) {
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode JSON: %s: %w", what, err)
	}
	return jsonformat.EscapeLineBreaks(encoded), nil
}

type participantJSON struct {
	ID           string    `json:"id"`
	ConferenceID string    `json:"conference_id"`
	PhoneNumber  string    `json:"phone_number"`
	Name         string    `json:"name"`
	Role         string    `json:"role"`
	Status       string    `json:"status"`
	Muted        bool      `json:"muted"`
	Duration     int32     `json:"duration"`
	JoinedAt     *jsonTime `json:"joined_at"`
	CreatedAt    *jsonTime `json:"created_at"`
}

func participantJSONOf(p *v2.Participant) participantJSON {
	return participantJSON{
		ID:           p.GetId(),
		ConferenceID: p.GetConferenceId(),
		PhoneNumber:  p.GetPhoneNumber(),
		Name:         p.GetName(),
		Role:         nameOrRaw(roles.names[p.GetRole().Number()], p.GetRawRole()),
		Status:       nameOrRaw(statuses.names[p.GetStatus().Number()], p.GetRawStatus()),
		Muted:        p.GetMuted(),
		Duration:     p.GetDuration(),
		JoinedAt:     (*jsonTime)(p.GetJoinedAt()),
		CreatedAt:    (*jsonTime)(p.GetCreatedAt()),
	}
}

func participantsJSONOf(people []*v2.Participant) []participantJSON {
	encoded := make([]participantJSON, len(people))
	for i, p := range people {
		encoded[i] = participantJSONOf(p)
	}
	return encoded
}

// nameOrRaw returns the upstream's text if the enum does not contain it.
func nameOrRaw(name, raw string) string {
	if name == "" {
		return raw
	}
	return name
}

type listJSON struct {
	Participants  []participantJSON `json:"participants"`
	Total         int32             `json:"total"`
	Active        int32             `json:"active"`
	NextPageToken string            `json:"next_page_token"`
}

func listJSONOf(l *v2.ListParticipantsResponse) listJSON {
	return listJSON{
		Participants:  participantsJSONOf(l.GetParticipants()),
		Total:         l.GetTotal(),
		Active:        l.GetActive(),
		NextPageToken: l.GetNextPageToken(),
	}
}

// jsonTime is a time in RFC 3339, UTC.
type jsonTime timestamppb.Timestamp

// AppendText is called by the json package.
func (i *jsonTime) AppendText(text []byte) ([]byte, error) {
	return (*timestamppb.Timestamp)(i).AsTime().AppendFormat(text, time.RFC3339Nano), nil
}

// jsonDuration is a duration in seconds, such as "1.5s".
type jsonDuration durationpb.Duration

// AppendText is called by the json package.
func (s *jsonDuration) AppendText(text []byte) ([]byte, error) {
	return append(text, jsonformat.Duration((*durationpb.Duration)(s).AsDuration())...), nil
}
