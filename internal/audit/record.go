package audit

import (
	"regexp"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/redact"
)

// Dialled says whether a phone may have rung because of a call.
type Dialled string

// Values of Dialled.
const (
	DialledYes     Dialled = "yes"
	DialledNo      Dialled = "no"
	DialledUnknown Dialled = "unknown"
)

// Record is one line. Each line has all fields; those that are unknown, or that the call does
// not have, are empty.
type Record struct {
	// Time is when the outcome was known.
	Time              time.Time `json:"time"`
	Caller            string    `json:"caller"`
	Call              string    `json:"call"`
	ConferenceID      string    `json:"conference_id"`
	ParticipantID     string    `json:"participant_id"`
	PhoneNumber       string    `json:"phone_number"`
	Outcome           string    `json:"outcome"`
	Reason            string    `json:"reason"`
	Dialled           Dialled   `json:"dialled"`
	RequestID         string    `json:"request_id"`
	IdempotencyKey    string    `json:"idempotency_key"`
	UpstreamRequestID string    `json:"upstream_request_id"`
}

// safe returns the record as it may be written: with masked phone numbers, and without texts
// that do not have the form of their field and so may be anything.
func (r Record) safe() Record {
	r.Time = r.Time.UTC()
	r.Caller = redact.MaskNumbers(r.Caller)
	r.PhoneNumber = masked(r.PhoneNumber)
	r.ConferenceID = shown(r.ConferenceID, participant.ValidID)
	r.ParticipantID = shown(r.ParticipantID, participant.ValidID)
	r.RequestID = shown(r.RequestID, key.MatchString)
	r.IdempotencyKey = shown(r.IdempotencyKey, key.MatchString)
	r.UpstreamRequestID = redact.MaskNumbers(r.UpstreamRequestID)
	return r
}

// invalid stands for a text that does not have the form of its field.
const invalid = "invalid"

// telephone matches what may be a phone number, in any spelling.
var telephone = regexp.MustCompile(`^[+(]*[\pN\pZ().\-/\x{2010}-\x{2015}]{1,40}$`)

// masked returns a phone number as viewers see it (A13).
func masked(number string) string {
	if number != "" && !telephone.MatchString(number) {
		return invalid
	}
	return redact.MaskDigits(number)
}

// key matches the request ids and idempotency keys that callers may send.
var key = regexp.MustCompile(`^[\x20-\x7e]{1,128}$`)

// plain matches ids that are written as they are, so that they can be found.
var plain = regexp.MustCompile(`^[A-Za-z0-9_.@~-]*$`)

// shown returns an id that a caller chose. It may be a phone number.
func shown(id string, valid func(string) bool) string {
	switch {
	case plain.MatchString(id) && len(id) <= maxPlain:
		return id
	case !valid(id):
		return invalid
	default:
		return redact.MaskNumbers(id)
	}
}

// maxPlain is the length of the longest id.
const maxPlain = 128
