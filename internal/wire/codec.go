package wire

import (
	"bytes"
	"fmt"
	"slices"

	"google.golang.org/grpc/encoding"
	standard "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/watch"
)

// codec sends a Message as the bytes that all its subscribers share, and encodes a large list in the
// memory of lists that were sent.
type codec struct{ encoding.CodecV2 }

// Codec returns the gRPC server's codec (grpc.ForceServerCodecV2): the standard one, except
// that a Message is not encoded again for each stream (W14), and for the memory of large lists.
func Codec() encoding.CodecV2 { return codec{encoding.GetCodecV2(standard.Name)} }

// Marshal returns the message's bytes. The garbage collector frees them, since other
// streams send them too; gRPC only reads them.
func (c codec) Marshal(message any) (mem.BufferSlice, error) {
	var buffers mem.BufferSlice
	var err error
	switch m := message.(type) {
	case *Message:
		buffers, err = m.buffers()
	case *v2.ListParticipantsResponse:
		buffers, err = listBuffers(m)
	default:
		return c.CodecV2.Marshal(message) //nolint:wrapcheck // gRPC adds context to the standard codec's error.
	}
	if err != nil {
		return nil, fmt.Errorf("encode proto: %w", err)
	}
	return buffers, nil
}

// buffers returns the message's bytes as gRPC takes them.
func (m *Message) buffers() (buffers mem.BufferSlice, err error) {
	if m.isShared() {
		encoded, err := m.Proto()
		if err == nil && len(encoded) <= PartSize {
			buffers, _ = m.source.Shared(oneBuffer).(mem.BufferSlice)
			return buffers, nil
		}
		return m.appendParts(nil, encoded), err
	}
	parts, err := m.ProtoParts()
	for _, part := range parts {
		buffers = m.appendParts(buffers, part)
	}
	return buffers, err
}

// oneBuffer returns the bytes of a message that was encoded, as a mem.BufferSlice.
func oneBuffer(m *watch.Message) any {
	encoded, _ := NewMessage(m).Proto()
	return mem.BufferSlice{mem.SliceBuffer(encoded)}
}

// PartSize is how much of a large message a client must read within watch.SendTimeout, over
// every transport.
const PartSize = 16 << 10

// appendParts splits encoded bytes. Each part calls Progress once gRPC's flow control has
// released it: gRPC gives no other sign of a slow client's progress.
func (m *Message) appendParts(buffers mem.BufferSlice, encoded []byte) mem.BufferSlice {
	if len(encoded) <= PartSize {
		return append(buffers, mem.SliceBuffer(encoded))
	}
	pool := notifier{m.progress}
	for part := range slices.Chunk(encoded, PartSize) {
		buffers = append(buffers, mem.NewBuffer(&part, pool))
	}
	return buffers
}

// notifier is a pool that keeps no buffers: it reports that one is no longer needed. It does not use
// the Message, which is used again for the next event.
type notifier struct{ sent func() }

func (notifier) Get(length int) *[]byte { return new(make([]byte, length)) }

func (n notifier) Put(*[]byte) {
	if n.sent != nil {
		n.sent()
	}
}

// Unmarshal decodes a message. gRPC would report an error here as INTERNAL; a request of
// the service that cannot be decoded, for example with invalid UTF-8, is marked instead.
// Readable finds the mark, and the call is refused as invalid with an ErrorInfo.
func (c codec) Unmarshal(data mem.BufferSlice, message any) error {
	err := c.CodecV2.Unmarshal(data, message)
	if err == nil {
		return nil
	}
	request, ours := message.(proto.Message)
	if !ours || request.ProtoReflect().Descriptor().ParentFile() != v2.File_audian_conference_v2_participant_service_proto {
		return err //nolint:wrapcheck // gRPC adds context to the standard codec's error.
	}
	proto.Reset(request)
	request.ProtoReflect().SetUnknown(unreadable)
	return nil
}

// unreadable marks a request: a field that no version of the proto will have.
var unreadable = protowire.AppendVarint(protowire.AppendTag(nil, protowire.MaxValidNumber, protowire.VarintType), 1)

// Readable reports whether Unmarshal could decode a request.
func Readable(request proto.Message) bool {
	return !bytes.Equal(request.ProtoReflect().GetUnknown(), unreadable)
}
