package wire

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	standard "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
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
	return mem.BufferSlice{mem.SliceBuffer(encoded)}, nil
}
