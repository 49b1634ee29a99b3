package connectrpc

import (
	"bytes"
	"fmt"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/audian/participant-gateway/internal/httpapi/decode"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/jsonformat"
	"github.com/audian/participant-gateway/internal/wire"
)

// encodedRequest is a request that connect-go has not decoded: connect-go passes on only
// the text of a decoding error. The zero value is the empty message, which gRPC-Web and
// Connect's streams send as no bytes.
type encodedRequest struct {
	bytes  []byte
	decode func([]byte, proto.Message) error
}

// into decodes the request.
func (e *encodedRequest) into(request proto.Message) error {
	if e.decode == nil {
		return nil
	}
	return e.decode(e.bytes, request)
}

// keepEncoded stores a request's bytes. It copies them, since connect-go reuses them.
func keepEncoded(encoded []byte, into any, decodeWith func([]byte, proto.Message) error) error {
	request, ok := into.(*encodedRequest)
	if !ok {
		return fmt.Errorf("no request in %T", into)
	}
	*request = encodedRequest{bytes: bytes.Clone(encoded), decode: decodeWith}
	return nil
}

// Both codecs append: connect-go overwrites what a codec's Marshal returns, and other
// streams share a message's bytes.
var (
	_ connect.Codec = protoCodec{}
	_ connect.Codec = jsonCodec{}
)

// protoCodec is the protobuf wire format.
type protoCodec struct{}

func (protoCodec) Name() string { return "proto" }

func (c protoCodec) Marshal(message any) ([]byte, error) { return c.MarshalAppend(nil, message) }

func (protoCodec) MarshalAppend(to []byte, message any) ([]byte, error) {
	switch m := message.(type) {
	case *wire.Message:
		return appendParts(to, m.ProtoParts)
	case proto.Message:
		return proto.MarshalOptions{}.MarshalAppend(to, m) //nolint:wrapcheck // connect-go adds context.
	default:
		return nil, fmt.Errorf("no proto form of %T", message)
	}
}

func appendParts(to []byte, encode func() ([][]byte, error)) ([]byte, error) {
	parts, err := encode()
	for _, part := range parts {
		to = append(to, part...)
	}
	return to, err
}

func (protoCodec) Unmarshal(encoded []byte, into any) error {
	return keepEncoded(encoded, into, decodeProto)
}

func decodeProto(encoded []byte, request proto.Message) error {
	if err := proto.Unmarshal(encoded, request); err != nil {
		const message = "invalid protobuf message"
		return httpio.InvalidBody(message, message, err)
	}
	return nil
}

// jsonCodec is proto3 JSON. Its name is part of content types.
type jsonCodec struct{ name string }

func (c jsonCodec) Name() string { return c.name }

func (c jsonCodec) Marshal(message any) ([]byte, error) { return c.MarshalAppend(nil, message) }

func (jsonCodec) MarshalAppend(to []byte, message any) ([]byte, error) {
	switch m := message.(type) {
	case *wire.Message:
		return appendParts(to, m.ProtoJSONParts)
	case proto.Message:
		encoded, err := protojson.Marshal(m)
		return append(to, jsonformat.EscapeLineBreaks(encoded)...), err
	default:
		return nil, fmt.Errorf("no proto3 JSON of %T", message)
	}
}

func (jsonCodec) Unmarshal(encoded []byte, into any) error {
	return keepEncoded(encoded, into, decode.ProtoJSON)
}
