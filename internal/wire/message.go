package wire

import (
	"sync"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/watch"
)

// Message is one message of a stream in all its forms. It is a proto.Message, so
// interceptors see what they expect, but its struct is built only for who looks
// inside: a subscriber that takes bytes takes those made for the first of them (W14).
type Message struct {
	source *watch.Message
	event  string

	// progress is called whenever a transport has passed on a part; nil for nobody.
	progress func()

	build    sync.Once
	response *v2.WatchParticipantsResponse
}

// NewMessage is m as one subscriber sends it.
func NewMessage(m *watch.Message) *Message {
	return &Message{source: m, event: eventName(m)}
}

// OnProgress has f called, from any goroutine, whenever the transport has passed on a
// part of the message, after the send has returned too. It returns the message.
func (m *Message) OnProgress(f func()) *Message {
	m.progress = f
	return m
}

// Progress reports that a part of the message was passed on to the client.
func (m *Message) Progress() {
	if m.progress != nil {
		m.progress()
	}
}

// eventName is the SSE event's name: the word of the proto's oneof.
func eventName(m *watch.Message) string {
	switch {
	case m.Snapshot != nil:
		return "snapshot"
	case m.Changes != nil:
		return "changes"
	case m.Checkpoint != nil:
		return "checkpoint"
	default:
		return "end"
	}
}

// Response is the message's struct, not to be changed.
func (m *Message) Response() *v2.WatchParticipantsResponse {
	m.build.Do(func() { m.response = response(m.source) })
	return m.response
}

// ProtoReflect makes a proto.Message of it.
func (m *Message) ProtoReflect() protoreflect.Message { return m.Response().ProtoReflect() }

// Proto is the message in the protobuf wire form.
func (m *Message) Proto() ([]byte, error) {
	return m.source.Encoding(watch.Proto, func(*watch.Message) ([]byte, error) {
		return proto.Marshal(m.Response())
	})
}

// JSON is the message in one line, without its end.
func (m *Message) JSON() ([]byte, error) {
	return m.source.Encoding(watch.JSON, func(*watch.Message) ([]byte, error) {
		return Marshal(m.Response())
	})
}

// ProtoJSON is the message in proto3 JSON, as clients generated from the proto read it.
func (m *Message) ProtoJSON() ([]byte, error) {
	return m.source.Encoding(watch.ProtoJSON, func(*watch.Message) ([]byte, error) {
		encoded, err := protojson.Marshal(m.Response())
		return EscapeLineBreaks(encoded), err
	})
}

// SSE is the message as the block of a server-sent event. A field of one stream
// alone, such as retry, may be written before it: it is then part of the block.
func (m *Message) SSE() ([]byte, error) {
	return m.source.Encoding(watch.SSE, func(*watch.Message) ([]byte, error) {
		data, err := m.JSON()
		if err != nil {
			return nil, err
		}
		return SSE(m.source.Token, m.event, data), nil
	})
}
