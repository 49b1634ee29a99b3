package rpc

import (
	"bytes"
	"fmt"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/wire"
)

// packed is a request as connect-go hands it over: not decoded yet, since of a failure
// there connect-go passes on only the text. The zero value is the empty message, which
// gRPC-Web and Connect's streams send as no bytes.
type packed struct {
	bytes  []byte
	decode func([]byte, proto.Message) error
}

// into reads the request's fields.
func (p *packed) into(request proto.Message) error {
	if p.decode == nil {
		return nil
	}
	return p.decode(p.bytes, request)
}

// pack keeps what was sent. The bytes are connect-go's, which uses them again.
func pack(sent []byte, into any, decode func([]byte, proto.Message) error) error {
	request, isPacked := into.(*packed)
	if !isPacked {
		return fmt.Errorf("no request in %T", into)
	}
	*request = packed{bytes: bytes.Clone(sent), decode: decode}
	return nil
}

// Both codecs append: what a codec's Marshal returns connect-go takes for its own and
// writes over later, and a message's bytes are other streams' too.
var (
	_ connect.Codec = binary{}
	_ connect.Codec = text{}
)

// binary is the protobuf wire form.
type binary struct{}

func (binary) Name() string { return "proto" }

func (b binary) Marshal(message any) ([]byte, error) { return b.MarshalAppend(nil, message) }

func (binary) MarshalAppend(to []byte, message any) ([]byte, error) {
	switch m := message.(type) {
	case *wire.Message:
		encoded, err := m.Proto()
		return append(to, encoded...), err
	case proto.Message:
		return proto.MarshalOptions{}.MarshalAppend(to, m) //nolint:wrapcheck // connect-go adds its own words.
	default:
		return nil, fmt.Errorf("no proto form of %T", message)
	}
}

func (binary) Unmarshal(sent []byte, into any) error { return pack(sent, into, decodeProto) }

// decodeProto reads the protobuf wire form.
func decodeProto(sent []byte, request proto.Message) error {
	err := proto.Unmarshal(sent, request)
	if err == nil {
		return nil
	}
	return &apierror.Error{
		Reason:  apierror.InvalidRequest,
		Message: "invalid protobuf message",
		Violations: []apierror.Violation{{
			Field: wire.WholeBody, Rule: "syntax", Message: "invalid protobuf message",
		}},
		Cause: err,
	}
}

// text is proto3 JSON. Its name is what stands in content types.
type text struct{ name string }

func (t text) Name() string { return t.name }

func (t text) Marshal(message any) ([]byte, error) { return t.MarshalAppend(nil, message) }

func (text) MarshalAppend(to []byte, message any) ([]byte, error) {
	switch m := message.(type) {
	case *wire.Message:
		encoded, err := m.ProtoJSON()
		return append(to, encoded...), err
	case proto.Message:
		encoded, err := protojson.Marshal(m)
		return append(to, wire.EscapeLineBreaks(encoded)...), err
	default:
		return nil, fmt.Errorf("no proto3 JSON of %T", message)
	}
}

func (text) Unmarshal(sent []byte, into any) error { return pack(sent, into, wire.DecodeProtoJSON) }
