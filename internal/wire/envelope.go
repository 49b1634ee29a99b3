package wire

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/jsonformat"
	"github.com/audian/participant-gateway/internal/watch"
)

// envelope is what a stream of several conferences adds to a message (A16). The message itself is
// encoded once for all subscribers, and sent as a part of its own.
type envelope struct {
	conference string
	// refusal is why the conference ended; nil for a message of the conference.
	refusal *status.Status
}

// NewConferenceMessage returns a message of a conference for a stream of several to send.
func NewConferenceMessage(conference string, m *watch.Message) *Message {
	message := NewMessage(m)
	message.envelope = &envelope{conference: conference}
	return message
}

// NewRefusal returns the message that a conference ended with an error.
func NewRefusal(conference string, err error) *Message {
	refusal := grpcstatus.From(err)
	return &Message{
		envelope: &envelope{conference: conference, refusal: refusal},
		own: &v2.WatchConferencesResponse{
			ConferenceId: valid(conference), Event: &v2.WatchConferencesResponse_Error{Error: refusal.Proto()},
		},
	}
}

// Refusal returns why a conference of a stream of several ended, and nil for any other message.
func (m *Message) Refusal() *status.Status {
	if m.envelope == nil {
		return nil
	}
	return m.envelope.refusal
}

// isShared reports whether all of the message's bytes are those that other streams send too.
func (m *Message) isShared() bool { return m.own == nil && m.envelope == nil }

// conferenceResponse returns a message of a stream of several conferences as the proto message.
func (m *Message) conferenceResponse() *v2.WatchConferencesResponse {
	return &v2.WatchConferencesResponse{
		ConferenceId: valid(m.envelope.conference),
		Event:        &v2.WatchConferencesResponse_Message{Message: m.Response()},
	}
}

// The fields of a message of a stream of several conferences.
var (
	conferenceField = envelopeField("conference_id")
	messageField    = envelopeField("message")
)

func envelopeField(name protoreflect.Name) protowire.Number {
	return (*v2.WatchConferencesResponse)(nil).ProtoReflect().Descriptor().Fields().ByName(name).Number()
}

// maxPrefix is more than two tags and two lengths take.
const maxPrefix = 32

// ProtoParts returns the message in the protobuf wire format. Callers must not change the parts:
// other streams share them.
func (m *Message) ProtoParts() ([][]byte, error) {
	return m.parts(watch.Proto, proto.Marshal, func(encoded []byte) [][]byte {
		conference := valid(m.envelope.conference)
		before := make([]byte, 0, len(conference)+maxPrefix)
		before = protowire.AppendTag(before, conferenceField, protowire.BytesType)
		before = protowire.AppendString(before, conference)
		before = protowire.AppendTag(before, messageField, protowire.BytesType)
		return [][]byte{protowire.AppendVarint(before, uint64(len(encoded))), encoded}
	})
}

// JSONParts returns the message as one line of JSON, with the line break.
func (m *Message) JSONParts() ([][]byte, error) {
	return m.parts(watch.JSON, marshalLine, func(line []byte) [][]byte {
		return [][]byte{m.openJSON("conference_id", "message"), withoutNewline(line), []byte("}\n")}
	})
}

// ProtoJSONParts returns the message in proto3 JSON.
func (m *Message) ProtoJSONParts() ([][]byte, error) {
	return m.parts(watch.ProtoJSON, protoJSON, func(encoded []byte) [][]byte {
		return [][]byte{m.openJSON("conferenceId", "message"), encoded, []byte("}")}
	})
}

// SSEParts returns the message as the block of a server-sent event. Only the stream of one
// conference has ids of events: an id holds one position.
func (m *Message) SSEParts() ([][]byte, error) {
	if m.isShared() {
		if _, err := m.SSE(); err != nil {
			return nil, err
		}
		return m.source.Parts(watch.SSE), nil
	}
	parts, err := m.JSONParts()
	if err != nil {
		return nil, err
	}
	head := []byte("event: " + m.event() + "\ndata: ")
	return append(append([][]byte{head}, parts...), []byte("\n")), nil
}

// parts returns an encoding of the message: a shared one, which wrap puts into the envelope if there is
// one, or the message's own.
func (m *Message) parts(
	format watch.Format, encode func(proto.Message) ([]byte, error), wrap func(encoded []byte) [][]byte,
) ([][]byte, error) {
	if m.own != nil {
		encoded, err := encode(m.own)
		return [][]byte{encoded}, err
	}
	encoded, err := m.shared(format, encode)
	if err != nil {
		return nil, err
	}
	if m.envelope == nil {
		return m.source.Parts(format), nil
	}
	return wrap(encoded), nil
}

// openJSON returns the begin of an object: the conference, and the name of the next member.
func (m *Message) openJSON(conference, next string) []byte {
	id, _ := json.Marshal(valid(m.envelope.conference)) // A string can be encoded.
	return jsonformat.EscapeLineBreaks(fmt.Appendf(nil, `{"%s":%s,"%s":`, conference, id, next))
}
