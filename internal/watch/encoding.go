package watch

import (
	"errors"
	"sync"
)

// Format is a format in which messages are sent.
type Format uint8

// The formats of a message.
const (
	// Proto is the protobuf wire format.
	Proto Format = iota
	// JSON is one NDJSON line, with its newline.
	JSON
	// SSE is one server-sent event.
	SSE
	// ProtoJSON is proto3 JSON.
	ProtoJSON

	formats
)

type encoding struct {
	once sync.Once
	// parts is the encoding as a slice of its only part.
	parts [1][]byte
	err   error
}

// shared is a value that all senders of a message share.
type shared struct {
	once  sync.Once
	value any
}

// Shared returns the value that create returned for the first caller, so all callers must want the same.
// Only encodings are counted: the value must be small.
func (m *Message) Shared(create func(*Message) any) any {
	m.shared.once.Do(func() { m.shared.value = create(m) })
	return m.shared.value
}

// errNotEncoded is returned for a message whose first encoding panicked.
var errNotEncoded = errors.New("encode message: an earlier attempt panicked")

// Encoding returns the message in a format. The first caller runs encode, and all others
// share its result.
func (m *Message) Encoding(format Format, encode func(*Message) ([]byte, error)) ([]byte, error) {
	e := &m.encodings[format]
	e.once.Do(func() {
		e.err = errNotEncoded
		e.parts[0], e.err = encode(m)
		if m.rendering != nil {
			m.rendering.grow(len(e.parts[0]))
		}
	})
	return e.parts[0], e.err
}

// Parts returns what Encoding has returned, as the only part of a message. All callers share the slice.
func (m *Message) Parts(format Format) [][]byte { return m.encodings[format].parts[:] }
