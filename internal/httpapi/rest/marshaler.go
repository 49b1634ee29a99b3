package rest

import (
	"errors"
	"fmt"
	"io"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/wire"
)

// marshaler encodes responses for grpc-gateway. It decodes nothing: requests are decoded
// before grpc-gateway sees them.
type marshaler struct{}

// Marshal returns nothing for a participant that is unset: the response has no body.
func (marshaler) Marshal(value any) ([]byte, error) {
	if participant, isOne := value.(*v2.Participant); isOne && participant == nil {
		return nil, nil
	}
	if list, isList := value.(listInMemory); isList {
		return list.marshal()
	}
	message, isMessage := value.(proto.Message)
	if !isMessage {
		return nil, fmt.Errorf("no JSON for %T", value)
	}
	return wire.Marshal(message)
}

func (marshaler) Unmarshal([]byte, any) error { return errors.ErrUnsupported }

func (marshaler) NewDecoder(io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(any) error { return nil })
}

func (m marshaler) NewEncoder(w io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(value any) error {
		encoded, err := m.Marshal(value)
		if err != nil {
			return err
		}
		if _, err := w.Write(encoded); err != nil {
			return fmt.Errorf("write JSON: %w", err)
		}
		return nil
	})
}

func (marshaler) ContentType(any) string { return httpio.JSONType }
