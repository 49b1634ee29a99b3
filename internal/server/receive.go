package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/tap"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/rest"
	"github.com/audian/participant-gateway/internal/wire"
)

// requestTimeout is how long a gRPC request may make no progress.
const requestTimeout = 60 * time.Second

// receiver registers services whose requests it reads itself. What gRPC refuses while it
// reads has no ErrorInfo, and a request that never comes has no time limit there.
type receiver struct {
	*grpc.Server

	timeout time.Duration
	gate    *gate
}

// RegisterService is called by generated code.
func (r receiver) RegisterService(desc *grpc.ServiceDesc, impl any) {
	own := *desc
	own.Methods, own.Streams = slices.Clone(desc.Methods), slices.Clone(desc.Streams)
	for i := range own.Methods {
		own.Methods[i].Handler = r.unary(own.Methods[i].Handler)
	}
	for i := range own.Streams {
		own.Streams[i].Handler = r.stream(own.Streams[i])
	}
	r.Server.RegisterService(&own, impl)
}

func (r receiver) unary(next grpc.MethodHandler) grpc.MethodHandler {
	return func(
		server any, ctx context.Context, _ func(any) error, intercept grpc.UnaryServerInterceptor,
	) (answer any, err error) {
		defer func() { err = r.recovered(ctx, recover(), err) }()
		return next(server, ctx, func(into any) error { return r.receiveOnly(ctx, into) }, intercept)
	}
}

func (r receiver) stream(desc grpc.StreamDesc) grpc.StreamHandler {
	return func(server any, stream grpc.ServerStream) (err error) {
		defer func() { err = r.recovered(stream.Context(), recover(), err) }()
		receive := r.receiveOnly
		if desc.ClientStreams {
			receive = r.receiveOne
		}
		return desc.Handler(server, &receivingStream{ServerStream: stream, receive: receive})
	}
}

// recovered turns a panic into an error: without it the process would end.
func (r receiver) recovered(ctx context.Context, panicked any, err error) error {
	if panicked == nil {
		return err
	}
	method, _ := grpc.Method(ctx)
	r.gate.panicked(ctx, method, panicked)
	return refusal(method, apierror.DialledUnknown, fmt.Errorf("panic: %v", panicked))
}

// receivingStream is a stream whose requests are read here.
type receivingStream struct {
	grpc.ServerStream

	receive func(context.Context, any) error
}

// RecvMsg reads the next request.
func (s *receivingStream) RecvMsg(into any) error { return s.receive(s.Context(), into) }

// receiveOnly reads the one request of a call.
func (r receiver) receiveOnly(ctx context.Context, into any) error {
	err := r.receiveNext(ctx, into)
	if err == nil {
		if err = r.receiveNext(ctx, nil); err == io.EOF { //nolint:errorlint // gRPC returns it as it is.
			return nil
		}
	}
	if err == nil || err == io.EOF { //nolint:errorlint // Likewise.
		err = &apierror.Error{Reason: apierror.InvalidRequest, Message: "the call takes one message"}
	}
	return r.refuse(ctx, err)
}

// receiveOne reads one request of a call that sends many.
func (r receiver) receiveOne(ctx context.Context, into any) error {
	err := r.receiveNext(ctx, into)
	if err == nil || err == io.EOF { //nolint:errorlint // gRPC returns it as it is, and its callers compare it.
		return err
	}
	return r.refuse(ctx, err)
}

// refuse is the status of a call whose request cannot be read.
func (r receiver) refuse(ctx context.Context, err error) error {
	method, _ := grpc.Method(ctx)
	err = r.gate.callerFirst(ctx, method, err)
	r.gate.refused(ctx, method, err)
	return refusal(method, apierror.DialledNo, err)
}

// receiveNext reads one request; io.EOF says that there is no more. Without a place to
// put it, a message is an error.
func (r receiver) receiveNext(ctx context.Context, into any) error {
	source, known := grpc.ServerTransportStreamFromContext(ctx).(messageSource)
	if !known {
		return errors.New("no stream to read from")
	}
	if err := checkMetadata(ctx); err != nil {
		return err
	}
	in := &inbound{source: source, progress: time.AfterFunc(r.timeout, func() { cut(ctx) }), timeout: r.timeout}
	defer in.progress.Stop()
	err := in.message(into)
	switch {
	case err == nil, err == io.EOF: //nolint:errorlint // gRPC returns it as it is.
		return err
	case errors.Is(context.Cause(ctx), errTooSlow):
		return errTooSlow
	case ctx.Err() != nil:
		return fmt.Errorf("receive: %w", ctx.Err())
	}
	if _, ours := errors.AsType[*apierror.Error](err); ours {
		return err
	}
	return &apierror.Error{Reason: apierror.Cancelled, Message: "the request was cut off", Cause: err}
}

// refusal is the status of a call that the service did not see. gRPC makes one that has
// no details of any other error.
func refusal(method string, dialled apierror.Dialled, err error) error {
	known := *apierror.From(err)
	if method == v2.ParticipantService_AddParticipant_FullMethodName {
		known.Dialled = dialled
	}
	return grpcstatus.From(&known).Err()
}

// errTooSlow is why a request was given up.
var errTooSlow = &apierror.Error{Reason: apierror.BodyTooSlow, Message: "the request did not arrive"}

// messageSource is gRPC's own stream, as its parser reads it.
type messageSource interface {
	ReadMessageHeader(header []byte) error
	Read(n int) (mem.BufferSlice, error)
	RecvCompress() string
}

// inbound reads a message by chunks, each of which is progress.
type inbound struct {
	source   messageSource
	progress *time.Timer
	timeout  time.Duration
}

const (
	// prefixSize is that of a message's prefix: a byte of flags, and four of length.
	prefixSize = 5
	// receiveChunk is how much must arrive within the timeout.
	receiveChunk = 16 << 10
)

func (in *inbound) message(into any) error {
	if err := rest.CheckEncoding("grpc-encoding", in.source.RecvCompress()); err != nil {
		return err
	}
	var prefix [prefixSize]byte
	if err := in.source.ReadMessageHeader(prefix[:]); err != nil {
		return err
	}
	size := int64(prefix[1])<<24 | int64(prefix[2])<<16 | int64(prefix[3])<<8 | int64(prefix[4])
	switch {
	case into == nil:
		return &apierror.Error{Reason: apierror.InvalidRequest, Message: "the call takes one message"}
	case size > maxRequest:
		return requestTooLarge()
	}
	sent, err := in.bytes(int(size))
	if err != nil {
		return err
	}
	return decode(prefix[0], in.source.RecvCompress(), sent, into)
}

func (in *inbound) bytes(size int) ([]byte, error) {
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

// decode reads a message by its flags.
func decode(flags byte, encoding string, sent []byte, into any) error {
	message, err := rest.InflateMessage(flags, encoding, sent)
	if err != nil {
		return err
	}
	if err := wire.Codec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(message)}, into); err != nil {
		return &apierror.Error{Reason: apierror.InvalidRequest, Message: "invalid protobuf message", Cause: err}
	}
	return nil
}

func requestTooLarge() error {
	return &apierror.Error{
		Reason:  apierror.BodyTooLarge,
		Message: fmt.Sprintf("the request must be at most %d bytes", maxRequest),
	}
}

// checkMetadata refuses a call whose metadata is over the limit of headers.
func checkMetadata(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if rest.HeaderSize(md) > rest.MaxHeaders {
		return rest.HeadersTooLarge()
	}
	return nil
}

type cutKey struct{}

// openCall is gRPC's tap: it sees a call before its first message. A call that has no
// time is refused, and another gets a way to be cut.
func openCall(ctx context.Context, call *tap.Info) (context.Context, error) {
	if err := ctx.Err(); err != nil {
		return ctx, refusal(call.FullMethodName, apierror.DialledNo, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	return context.WithValue(ctx, cutKey{}, cancel), nil
}

// cut ends a call whose request does not arrive.
func cut(ctx context.Context) {
	if cancel, known := ctx.Value(cutKey{}).(context.CancelCauseFunc); known {
		cancel(errTooSlow)
	}
}
