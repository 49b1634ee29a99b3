package watch

import (
	"errors"
	"sync"
)

// Format is one of the forms in which a message leaves the gateway.
type Format uint8

// The forms of a message.
const (
	// Proto is the protobuf wire form.
	Proto Format = iota
	// JSON is one NDJSON line without its end.
	JSON
	// SSE is the block of a server-sent event.
	SSE
	// ProtoJSON is proto3 JSON.
	ProtoJSON

	formats
)

type encoding struct {
	once  sync.Once
	bytes []byte
	err   error
}

// errNotEncoded is what the others get whose message's encoding panicked.
var errNotEncoded = errors.New("encode message: an earlier attempt panicked")

// Encoding returns the message in a format. However many subscribers ask, encode runs
// once, and the others wait for it.
func (m *Message) Encoding(format Format, encode func(*Message) ([]byte, error)) ([]byte, error) {
	e := &m.encodings[format]
	e.once.Do(func() {
		e.err = errNotEncoded
		e.bytes, e.err = encode(m)
		if m.rendering != nil {
			m.rendering.grow(len(e.bytes))
		}
	})
	return e.bytes, e.err
}
