package grpcapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/tap"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/interceptor"
	"github.com/audian/participant-gateway/internal/wire"
)

// requestTimeout is the longest time without progress while a request arrives.
const requestTimeout = 60 * time.Second

// receiver registers services so that it reads their requests.
type receiver struct {
	*grpc.Server

	timeout     time.Duration
	interceptor *interceptor.Interceptor
}

// RegisterService replaces the handlers. Generated code calls it.
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
		return next(server, ctx, func(into any) error { return r.receiveUnary(ctx, into) }, intercept)
	}
}

func (r receiver) stream(desc grpc.StreamDesc) grpc.StreamHandler {
	return func(server any, stream grpc.ServerStream) (err error) {
		defer func() { err = r.recovered(stream.Context(), recover(), err) }()
		receive := r.receiveUnary
		if desc.ClientStreams {
			receive = r.receiveStreamed
		}
		return desc.Handler(server, &receivingStream{ServerStream: stream, receive: receive})
	}
}

// recovered converts a panic, which would end the process, into an error.
func (r receiver) recovered(ctx context.Context, panicked any, err error) error {
	if panicked == nil {
		return err
	}
	method, _ := grpc.Method(ctx)
	r.interceptor.LogPanic(ctx, method, panicked)
	return statusError(method, apierror.DialledUnknown, fmt.Errorf("panic: %v", panicked))
}

// receivingStream is a stream whose requests the receiver reads.
type receivingStream struct {
	grpc.ServerStream

	receive func(context.Context, any) error
}

// RecvMsg reads the next request.
func (s *receivingStream) RecvMsg(into any) error { return s.receive(s.Context(), into) }

// ForwardsTo returns gRPC's stream, which sends.
func (s *receivingStream) ForwardsTo() grpc.ServerStream { return s.ServerStream }

// receiveUnary reads the request of a call that takes exactly one.
func (r receiver) receiveUnary(ctx context.Context, into any) error {
	err := r.receiveNext(ctx, into)
	if err == nil {
		if err = r.receiveNext(ctx, nil); err == io.EOF { //nolint:errorlint // gRPC returns it as it is.
			return nil
		}
	}
	if err == nil || err == io.EOF { //nolint:errorlint // Likewise.
		err = errOneMessage()
	}
	return r.refuse(ctx, err)
}

// receiveStreamed reads the next request of a call that takes many.
func (r receiver) receiveStreamed(ctx context.Context, into any) error {
	err := r.receiveNext(ctx, into)
	if err == nil || err == io.EOF { //nolint:errorlint // gRPC returns it as it is, and its callers compare it.
		return err
	}
	return r.refuse(ctx, err)
}

// refuse returns the status of a call whose request cannot be read. A call of the participant
// service without valid credentials gets the error of those instead.
func (r receiver) refuse(ctx context.Context, err error) error {
	method, _ := grpc.Method(ctx)
	if strings.HasPrefix(method, methodPrefix) && ctx.Err() == nil {
		err = cmp.Or(r.interceptor.Authenticate(ctx), err)
	}
	r.interceptor.LogUnreadable(ctx, method, err)
	return statusError(method, apierror.DialledNo, err)
}

// receiveNext reads the next request; at the end it returns io.EOF. If into is nil, a request
// is an error.
func (r receiver) receiveNext(ctx context.Context, into any) error {
	source, known := grpc.ServerTransportStreamFromContext(ctx).(messageSource)
	if !known {
		return errors.New("no stream to read from")
	}
	if err := checkMetadata(ctx); err != nil {
		return err
	}
	in := &messageReader{
		source: source, timeout: r.timeout,
		progress: time.AfterFunc(r.timeout, func() { cancelSlow(ctx) }),
	}
	defer in.progress.Stop()
	err := in.readMessage(into)
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

// statusError returns the error of a call that did not reach the interceptor as a status.
func statusError(method string, dialled apierror.Dialled, err error) error {
	complete := *apierror.From(err)
	if wire.Dials(method) {
		complete.Dialled = dialled
	}
	return grpcstatus.From(&complete).Err()
}

func errOneMessage() error {
	return &apierror.Error{Reason: apierror.InvalidRequest, Message: "the call takes one message"}
}

// errTooSlow is the cause with which a call is cancelled whose request does not arrive.
var errTooSlow = &apierror.Error{Reason: apierror.BodyTooSlow, Message: "the request did not arrive"}

// checkMetadata refuses a call with more metadata than the limit for headers.
func checkMetadata(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if httpio.HeaderSize(md) > httpio.MaxHeaders {
		return httpio.HeadersTooLarge()
	}
	return nil
}

type cancelKey struct{}

// beforeCall returns what runs before the first message of a call is read. It refuses a call
// without time left, and makes the context cancellable for cancelSlow.
func beforeCall(i *interceptor.Interceptor) tap.ServerInHandle {
	return func(ctx context.Context, call *tap.Info) (context.Context, error) {
		if err := ctx.Err(); err != nil {
			i.AuditRefused(ctx, call.FullMethodName, nil, err)
			return ctx, statusError(call.FullMethodName, apierror.DialledNo, err)
		}
		ctx, cancel := context.WithCancelCause(ctx)
		return context.WithValue(ctx, cancelKey{}, cancel), nil
	}
}

// cancelSlow cancels a call whose request does not arrive.
func cancelSlow(ctx context.Context) {
	if cancel, ok := ctx.Value(cancelKey{}).(context.CancelCauseFunc); ok {
		cancel(errTooSlow)
	}
}
