package watch

import "sync"

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

// Encoding returns the message in a format. However many subscribers ask, encode
// runs once.
func (m *Message) Encoding(format Format, encode func(*Message) ([]byte, error)) ([]byte, error) {
	e := &m.encodings[format]
	e.once.Do(func() { e.bytes, e.err = encode(m) })
	return e.bytes, e.err
}
