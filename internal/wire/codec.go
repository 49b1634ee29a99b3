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
)

// codec sends a Message by the bytes that all its subscribers share.
type codec struct{ encoding.CodecV2 }

// Codec is the gRPC server's codec (grpc.ForceServerCodecV2): the standard one, but
// for a Message, which is not encoded again for each stream (W14).
func Codec() encoding.CodecV2 { return codec{encoding.GetCodecV2(standard.Name)} }

// Marshal gives the message's bytes. They belong to the garbage collector, since
// other streams send them too; gRPC only reads them.
func (c codec) Marshal(message any) (mem.BufferSlice, error) {
	shared, isMessage := message.(*Message)
	if !isMessage {
		return c.CodecV2.Marshal(message) //nolint:wrapcheck // gRPC adds its own words to the standard codec's error.
	}
	encoded, err := shared.Proto()
	if err != nil {
		return nil, fmt.Errorf("encode proto: %w", err)
	}
	return parts(encoded, shared.Progress), nil
}

// partSize is how much of a large message is passed on between two reports of progress.
const partSize = 16 << 10

// parts are the parts of an encoded message. Each calls passed once gRPC's flow control
// has let it go, which is the only sight that gRPC gives of a slow client's progress.
func parts(encoded []byte, passed func()) mem.BufferSlice {
	if len(encoded) <= partSize {
		return mem.BufferSlice{mem.SliceBuffer(encoded)}
	}
	pool := notifier{passed}
	var buffers mem.BufferSlice
	for part := range slices.Chunk(encoded, partSize) {
		buffers = append(buffers, mem.NewBuffer(&part, pool))
	}
	return buffers
}

// notifier is a pool that takes no buffer back: it reports that nobody needs it any more.
type notifier struct{ passed func() }

func (notifier) Get(length int) *[]byte { return new(make([]byte, length)) }

func (n notifier) Put(*[]byte) { n.passed() }

// Unmarshal reads a message. One of ours that cannot be read, as with text that is not
// UTF-8, is no fault of the gateway, which is what gRPC would make of an error here: it
// is marked, for Readable to tell, and refused as bad input with an ErrorInfo.
func (c codec) Unmarshal(data mem.BufferSlice, message any) error {
	err := c.CodecV2.Unmarshal(data, message)
	if err == nil {
		return nil
	}
	request, ours := message.(proto.Message)
	if !ours || request.ProtoReflect().Descriptor().ParentFile() != v2.File_audian_conference_v2_participant_service_proto {
		return err //nolint:wrapcheck // gRPC adds its own words to the standard codec's error.
	}
	proto.Reset(request)
	request.ProtoReflect().SetUnknown(unreadable)
	return nil
}

// unreadable marks a request: a field that no version of the proto will have.
var unreadable = protowire.AppendVarint(protowire.AppendTag(nil, protowire.MaxValidNumber, protowire.VarintType), 1)

// Readable says whether a request could be read where it came in over gRPC.
func Readable(request proto.Message) bool {
	return !bytes.Equal(request.ProtoReflect().GetUnknown(), unreadable)
}
