// Package encoding encodes what a roster knows, for a log outside this process: JSON with short
// names after one byte for the version. Equal values have equal encodings. Texts are UTF-8;
// times are exact to the nanosecond, and UTC when they are decoded.
//
// The conference is not part of an encoding: the log is about one.
package encoding

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// version is the first byte of each encoding. Another version cannot be decoded.
const version = '1'

// EncodeBatch encodes a batch, or all of a roster (Roster.Base).
func EncodeBatch(b roster.Batch) ([]byte, error) { return encode(b) }

// EncodeMember encodes one member.
func EncodeMember(m roster.Member) ([]byte, error) { return encode(m) }

// EncodeMarks encodes the marks.
func EncodeMarks(m roster.Marks) ([]byte, error) { return encode(m) }

// DecodeBatch is the inverse of EncodeBatch, for a batch of a conference.
func DecodeBatch(conference string, data []byte) (roster.Batch, error) {
	b, err := decode[roster.Batch](data)
	for i := range b.Members {
		err = errors.Join(err, complete(&b.Members[i], conference))
	}
	for _, change := range b.Changes {
		err = errors.Join(err, completeChange(change, conference))
	}
	return orNone(b, err)
}

// DecodeMember is the inverse of EncodeMember, for a member of a conference.
func DecodeMember(conference string, data []byte) (roster.Member, error) {
	m, err := decode[roster.Member](data)
	if err == nil {
		err = complete(&m, conference)
	}
	return orNone(m, err)
}

// DecodeMarks is the inverse of EncodeMarks.
func DecodeMarks(data []byte) (roster.Marks, error) { return orNone(decode[roster.Marks](data)) }

func encode(value any) ([]byte, error) {
	data, err := json.Marshal(value, options)
	if err != nil {
		return nil, fmt.Errorf("encode for the log: %w", err)
	}
	return append([]byte{version}, data...), nil
}

func decode[T any](data []byte) (value T, err error) {
	if len(data) == 0 || data[0] != version {
		return value, errors.New("not of this version")
	}
	err = json.Unmarshal(data[1:], &value, options)
	return value, err //nolint:wrapcheck // orNone wraps it.
}

// orNone returns no value with an error: one that is half decoded must not be used.
func orNone[T any](value T, err error) (T, error) {
	if err != nil {
		var none T
		return none, fmt.Errorf("decode from the log: %w", err)
	}
	return value, nil
}

// complete adds the conference to a decoded member, and checks what the roster relies on.
func complete(m *roster.Member, conference string) error {
	m.Participant.ConferenceID = conference
	switch {
	case m.Participant.ID == "":
		return errors.New("a member without an id")
	case m.Proof > roster.Absent:
		return errors.New("an unknown proof")
	case m.Pending != nil && m.Pending.Kind != participant.WriteAdd && m.Pending.Kind != participant.WriteRemove:
		return errors.New("an unknown kind of write")
	case !isControl(m.MutedControl.Pending, participant.FieldMuted), !isControl(m.StatusControl.Pending, participant.FieldStatus):
		return errors.New("an unknown control")
	}
	return nil
}

// isControl reports whether a pending control, if there is one, is one of a field.
func isControl(c *roster.PendingControl, field participant.Fields) bool {
	return c == nil || c.Control >= participant.ControlMute && c.Control <= participant.ControlDisconnect && c.Control.Field() == field
}

// completeChange adds the conference to a decoded change, and checks it.
func completeChange(c roster.Change, conference string) error {
	if c.Before == nil && c.After == nil {
		return errors.New("a change of nobody")
	}
	for _, p := range []*participant.Participant{c.Before, c.After} {
		if p == nil {
			continue
		}
		p.ConferenceID = conference
		if p.ID == "" {
			return errors.New("a change of a participant without an id")
		}
	}
	return nil
}

// options omit zero values, and write times and participants in a short form.
var options = json.JoinOptions(
	json.OmitZeroStructFields(true),
	json.RejectUnknownMembers(true),
	json.WithMarshalers(json.JoinMarshalers(json.MarshalToFunc(encodeTime), json.MarshalToFunc(encodeParticipant))),
	json.WithUnmarshalers(json.JoinUnmarshalers(json.UnmarshalFromFunc(decodeTime), json.UnmarshalFromFunc(decodeParticipant))),
)

// encodeTime writes seconds since 1970 and nanoseconds. RFC 3339 would not contain every year.
func encodeTime(enc *jsontext.Encoder, t time.Time) error {
	return json.MarshalEncode(enc, [2]int64{t.Unix(), int64(t.Nanosecond())}) //nolint:wrapcheck // encode wraps it.
}

func decodeTime(dec *jsontext.Decoder, t *time.Time) error {
	var parts [2]int64
	err := json.UnmarshalDecode(dec, &parts)
	*t = time.Unix(parts[0], parts[1]).UTC()
	return err //nolint:wrapcheck // orNone wraps it.
}

// shortParticipant has the fields of a participant.Participant, with short names.
type shortParticipant struct {
	ID           string             `json:"i"`
	ConferenceID string             `json:"-"`
	PhoneNumber  string             `json:"p"`
	Name         string             `json:"n"`
	Role         participant.Role   `json:"r"`
	Status       participant.Status `json:"s"`
	Muted        bool               `json:"m"`
	Duration     int32              `json:"d"`
	JoinedAt     time.Time          `json:"j"`
	CreatedAt    time.Time          `json:"c"`
}

func encodeParticipant(enc *jsontext.Encoder, p participant.Participant) error {
	return json.MarshalEncode(enc, shortParticipant(p)) //nolint:wrapcheck // encode wraps it.
}

func decodeParticipant(dec *jsontext.Decoder, p *participant.Participant) error {
	return json.UnmarshalDecode(dec, (*shortParticipant)(p)) //nolint:wrapcheck // orNone wraps it.
}
