package sharedclaims

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/write"
)

// storedOutcome is an outcome in Redis. Fields may be added; unknown ones are ignored (R11).
type storedOutcome struct {
	Participant storedParticipant `json:"participant,omitzero"`
	Error       *storedError      `json:"error,omitzero"`
}

type storedParticipant struct {
	ID           string    `json:"id"`
	ConferenceID string    `json:"conference_id"`
	PhoneNumber  string    `json:"phone_number,omitzero"`
	Name         string    `json:"name,omitzero"`
	Role         string    `json:"role,omitzero"`
	Status       string    `json:"status,omitzero"`
	Muted        bool      `json:"muted,omitzero"`
	Duration     int32     `json:"duration,omitzero"`
	JoinedAt     time.Time `json:"joined_at,omitzero"`
	CreatedAt    time.Time `json:"created_at,omitzero"`
	// Fields are those that the upstream's answer contained.
	Fields uint16 `json:"fields"`
}

type storedError struct {
	Reason            string `json:"reason"`
	Message           string `json:"message"`
	Dialled           string `json:"dialled"`
	RetryAfterMillis  int64  `json:"retry_after_ms,omitzero"`
	UpstreamStatus    int    `json:"upstream_status,omitzero"`
	UpstreamRequestID string `json:"upstream_request_id,omitzero"`
	FromUpstream      bool   `json:"from_upstream,omitzero"`
	NotSent           bool   `json:"not_sent,omitzero"`
}

func encodeOutcome(o write.Outcome) (string, error) {
	var stored storedOutcome
	if e := o.Err; e != nil {
		stored.Error = &storedError{
			Reason: string(e.Reason), Message: e.Message, Dialled: string(e.Dialled), RetryAfterMillis: e.RetryAfter.Milliseconds(),
			UpstreamStatus: e.UpstreamStatus, UpstreamRequestID: e.UpstreamRequestID, FromUpstream: e.FromUpstream, NotSent: e.NotSent,
		}
	} else {
		p := o.Item
		stored.Participant = storedParticipant{
			ID: p.ID, ConferenceID: p.ConferenceID, PhoneNumber: p.PhoneNumber, Name: p.Name, Role: string(p.Role),
			Status: string(p.Status), Muted: p.Muted, Duration: p.Duration, JoinedAt: p.JoinedAt, CreatedAt: p.CreatedAt,
			Fields: uint16(p.Fields),
		}
	}
	text, err := json.Marshal(stored)
	if err != nil {
		return "", fmt.Errorf("encode an outcome: %w", err)
	}
	return string(text), nil
}

// decodeOutcome returns an outcome. One that cannot be read is unknown: never as if nothing had
// been sent.
func decodeOutcome(text string) write.Outcome {
	var stored storedOutcome
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return unreadable(err)
	}
	if e := stored.Error; e != nil {
		return write.Outcome{Err: e.decode()}
	}
	p := stored.Participant
	if p.ID == "" {
		return unreadable(errors.New("neither a participant nor an error"))
	}
	return write.Outcome{Item: participant.Item{
		Participant: participant.Participant{
			ID: p.ID, ConferenceID: p.ConferenceID, PhoneNumber: p.PhoneNumber, Name: p.Name, Role: participant.Role(p.Role),
			Status: participant.Status(p.Status), Muted: p.Muted, Duration: p.Duration, JoinedAt: p.JoinedAt, CreatedAt: p.CreatedAt,
		},
		Fields: participant.Fields(p.Fields),
	}}
}

func (e *storedError) decode() *apierror.Error {
	return &apierror.Error{
		Reason: apierror.Reason(e.Reason), Message: e.Message, Dialled: apierror.Dialled(e.Dialled),
		RetryAfter:     time.Duration(e.RetryAfterMillis) * time.Millisecond,
		UpstreamStatus: e.UpstreamStatus, UpstreamRequestID: e.UpstreamRequestID,
		FromUpstream: e.FromUpstream, NotSent: e.NotSent,
	}
}

func unreadable(cause error) write.Outcome {
	return write.Outcome{Err: &apierror.Error{
		Reason:  apierror.AddOutcomeUnknown,
		Message: "another replica has claimed this request_id in a form that this one cannot read: the phone may ring",
		Dialled: apierror.DialledUnknown,
		Cause:   cause,
	}}
}
