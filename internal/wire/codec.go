package wire

import (
	"bytes"
	"fmt"

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
	return mem.BufferSlice{mem.SliceBuffer(encoded)}, nil
}

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
