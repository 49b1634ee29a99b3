package wire

import (
	"bytes"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/jsonformat"
	"github.com/audian/participant-gateway/internal/watch"
)

// Message is one message of a stream in all its formats. It is a proto.Message for
// interceptors, but its struct is built only when it is read: a subscriber that sends
// bytes shares those encoded for the first subscriber (W14). Each subscriber has its own,
// which only one goroutine uses.
type Message struct {
	source *watch.Message
	// own is set in place of source for a message that no other stream sends.
	own proto.Message
	// envelope is set for a message of a stream of several conferences.
	envelope *envelope

	// progress is called whenever a transport has sent a part; it may be nil.
	progress func()

	// response is the source as a proto message, once that was read.
	response *v2.WatchParticipantsResponse
}

// NewMessage returns m for one subscriber to send.
func NewMessage(m *watch.Message) *Message { return &Message{source: m} }

// Set makes m what NewMessage returns, so that a stream needs one Message for all that it sends.
// It returns m.
func (m *Message) Set(source *watch.Message) *Message {
	*m = Message{source: source}
	return m
}

// OnProgress makes the transport call f, from any goroutine, whenever it has sent a part
// of the message, also after the send has returned. It returns the message.
func (m *Message) OnProgress(f func()) *Message {
	m.progress = f
	return m
}

// Progress reports that a part of the message was sent to the client.
func (m *Message) Progress() {
	if m.progress != nil {
		m.progress()
	}
}

// event returns the SSE event's name: the field name in the proto's oneof.
func (m *Message) event() string {
	switch {
	case m.Refusal() != nil:
		return "refused"
	case m.own != nil:
		return setEvent(m.own)
	case m.source.Snapshot != nil:
		return "snapshot"
	case m.source.Changes != nil:
		return "changes"
	case m.source.Checkpoint != nil:
		return "checkpoint"
	default:
		return "end"
	}
}

// Response returns the proto message. Callers must not change it.
func (m *Message) Response() *v2.WatchParticipantsResponse {
	if m.response == nil {
		m.response = response(m.source)
	}
	return m.response
}

// ProtoReflect implements proto.Message.
func (m *Message) ProtoReflect() protoreflect.Message {
	switch {
	case m.own != nil:
		return m.own.ProtoReflect()
	case m.envelope != nil:
		return m.conferenceResponse().ProtoReflect()
	default:
		return m.Response().ProtoReflect()
	}
}

// Proto returns the message in the protobuf wire format.
func (m *Message) Proto() ([]byte, error) {
	return m.shared(watch.Proto, proto.Marshal)
}

// shared returns the message in a format. The first subscriber encodes it for all.
func (m *Message) shared(format watch.Format, encode func(proto.Message) ([]byte, error)) ([]byte, error) {
	return m.source.Encoding(format, func(*watch.Message) ([]byte, error) { return encode(m.Response()) })
}

// JSON returns the message as one line of JSON, without the line break.
func (m *Message) JSON() ([]byte, error) {
	line, err := m.shared(watch.JSON, marshalLine)
	return withoutNewline(line), err
}

// marshalLine is Marshal with a line break at the end.
func marshalLine(message proto.Message) ([]byte, error) {
	line, err := Marshal(message)
	return append(line, '\n'), err
}

func withoutNewline(line []byte) []byte { return bytes.TrimSuffix(line, []byte{'\n'}) }

// ProtoJSON returns the message in proto3 JSON, for clients generated from the proto.
func (m *Message) ProtoJSON() ([]byte, error) {
	return m.shared(watch.ProtoJSON, protoJSON)
}

// protoJSON encodes a message in proto3 JSON.
func protoJSON(message proto.Message) ([]byte, error) {
	encoded, err := protojson.Marshal(message)
	return jsonformat.EscapeLineBreaks(encoded), err
}

// SSE returns the message as the block of a server-sent event. A field of one stream alone,
// such as retry, may be written before it: it is then part of the block.
func (m *Message) SSE() ([]byte, error) {
	return m.source.Encoding(watch.SSE, func(*watch.Message) ([]byte, error) {
		data, err := m.JSON()
		if err != nil {
			return nil, err
		}
		return SSE(m.source.Token, m.event(), data), nil
	})
}
