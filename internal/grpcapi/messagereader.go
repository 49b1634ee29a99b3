package grpcapi

import (
	"io"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/interceptor"
	"github.com/audian/participant-gateway/internal/wire"
)

// messageSource is grpc-go's stream, as grpc-go's parser reads it.
type messageSource interface {
	ReadMessageHeader(header []byte) error
	Read(n int) (mem.BufferSlice, error)
	RecvCompress() string
}

// messageReader reads a message in chunks, each of which is progress.
type messageReader struct {
	source   messageSource
	progress *time.Timer
	timeout  time.Duration
}

const (
	// prefixSize is the size of a message's prefix: one byte of flags, four of length.
	prefixSize = 5
	// receiveChunk is the part of a message that must arrive within the timeout.
	receiveChunk = 16 << 10
)

// readOnly reads the request of a call that takes exactly one.
func (in *messageReader) readOnly(into any) error {
	err := in.readMessage(into)
	if err == nil {
		in.progress.Reset(in.timeout)
		if err = in.readMessage(nil); err == io.EOF { //nolint:errorlint // gRPC returns it as it is.
			return nil
		}
	}
	if err == io.EOF { //nolint:errorlint // Likewise.
		return errOneMessage()
	}
	return err
}

// readMessage reads the next message; at the end it returns io.EOF. If into is nil, a message is an
// error.
func (in *messageReader) readMessage(into any) error {
	if err := httpio.CheckEncoding("grpc-encoding", in.source.RecvCompress()); err != nil {
		return err
	}
	var prefix [prefixSize]byte
	if err := in.source.ReadMessageHeader(prefix[:]); err != nil {
		return err
	}
	size := int64(prefix[1])<<24 | int64(prefix[2])<<16 | int64(prefix[3])<<8 | int64(prefix[4])
	if into == nil {
		return errOneMessage()
	}
	request, _ := into.(proto.Message)
	if err := interceptor.CheckSize(request, int(size)); err != nil {
		return err
	}
	sent, err := in.readBytes(int(size))
	if err != nil {
		return err
	}
	return decode(prefix[0], in.source.RecvCompress(), sent, request)
}

func (in *messageReader) readBytes(size int) ([]byte, error) {
	sent := make([]byte, 0, min(size, receiveChunk))
	for len(sent) < size {
		in.progress.Reset(in.timeout)
		chunk, err := in.source.Read(min(size-len(sent), receiveChunk))
		if err != nil {
			return nil, err
		}
		sent = append(sent, chunk.Materialize()...)
		chunk.Free()
	}
	return sent, nil
}

// decode decompresses and decodes a message.
func decode(flags byte, encoding string, sent []byte, into proto.Message) error {
	message, err := httpio.DecompressMessage(flags, encoding, sent, wire.RequestLimit(into))
	if err != nil {
		return err
	}
	if err := wire.Codec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(message)}, into); err != nil {
		return &apierror.Error{Reason: apierror.InvalidRequest, Message: "invalid protobuf message", Cause: err}
	}
	return nil
}
