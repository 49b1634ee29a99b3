// Package interceptor wraps the service in what every call needs, whatever its transport:
// authentication, authorization, limits, validation, a deadline, the access log, metrics and
// recovery from panics.
package interceptor

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/audit"
	"github.com/audian/participant-gateway/internal/detached"
	"github.com/audian/participant-gateway/internal/metrics"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
)

// Options configure an Interceptor.
type Options struct {
	Authenticator access.Authenticator
	// Limits are those of each caller.
	Limits  access.Limits
	Phone   PhoneRule
	Streams *Streams
	Metrics *metrics.Metrics
	Logger  *slog.Logger
	// Audit is nil without an audit log.
	Audit *audit.Log
	// Tracer makes the span of each call; nil makes none.
	Tracer trace.Tracer
}

// Interceptor handles every call before and after the service.
type Interceptor struct {
	authenticator access.Authenticator
	limiter       *access.Limiter
	validator     *validator
	streams       *Streams
	metrics       *metrics.Metrics
	logger        *slog.Logger
	audit         *audit.Log
	tracer        trace.Tracer
	calls         callCount
}

// New returns an interceptor.
func New(options Options) *Interceptor {
	return &Interceptor{
		authenticator: options.Authenticator,
		limiter:       access.NewLimiter(options.Limits),
		validator:     newValidator(options.Phone),
		streams:       options.Streams,
		metrics:       options.Metrics,
		logger:        options.Logger,
		audit:         options.Audit,
		tracer:        cmp.Or[trace.Tracer](options.Tracer, noop.Tracer{}),
	}
}

// Deadlines of unary calls that have none (A6). The upstream allows an Add 60 s to connect.
const (
	defaultDeadline = 30 * time.Second
	addDeadline     = 75 * time.Second
)

// unary handles a unary call.
func (i *Interceptor) unary(
	ctx context.Context, method string, request proto.Message, handle grpc.UnaryHandler,
) (response any, err error) {
	i.calls.enter()
	defer i.calls.leave()
	ctx, call := i.begin(ctx, method, request)
	defer func() { err = call.end(ctx, response, err, recover()) }()
	// This fails only in tests, which call without a connection.
	_ = grpc.SetHeader(ctx, call.header())
	ctx, cancel := withDeadline(ctx, method)
	defer cancel()
	if ctx, err = i.authorize(ctx, call); err != nil {
		return nil, err
	}
	call.reachedService = true
	return handle(ctx, request)
}

// stream handles a server-streaming call. Where the service detaches the stream, the call goes on
// until the transport ends it.
func (i *Interceptor) stream(
	method string, request proto.Message, stream grpc.ServerStream, handle func(grpc.ServerStream) error,
) (err error) {
	i.calls.enter()
	ctx, call := i.begin(stream.Context(), method, request)
	var held releases
	detachable := detached.FromContext(ctx)
	defer func() {
		if detachable.Stream() != nil {
			i.endWhenDetached(ctx, call, held, detachable)
			return
		}
		err = i.endStream(ctx, call, held, err, recover())
	}()
	if err := stream.SetHeader(call.header()); err != nil {
		return fmt.Errorf("set headers: %w", err)
	}
	authorized, err := i.authorizeStream(ctx, call)
	if err != nil {
		return err
	}
	caller := access.FromContext(authorized)
	release, err := i.limiter.OpenStream(caller)
	if err != nil {
		return fmt.Errorf("limit: %w", err)
	}
	held.add(release)
	granted, cancel := context.WithCancelCause(authorized)
	defer cancel(nil)
	end := detachable.OnCancel(cancel)
	held.add(caller.Grant.OpenStream(streamPermission(caller, request), end))
	if method == v2.ParticipantService_BatchAddParticipants_FullMethodName {
		// A drain stops what the batch has not sent; the stream then reports the rest. It has no age.
		entries := audit.WithEntries(granted, func(entry audit.Entry) { call.auditEntry(granted, entry) })
		call.reachedService = true
		return handle(&observedStream{ServerStream: stream, ctx: entries, call: call})
	}
	id, remove := i.streams.OpenWatch(Watch{
		Caller: caller.Name, Address: peerAddress(granted), RequestID: call.requestID,
		Transport: requestctx.TransportOf(granted), OpenedAt: call.start,
	}, end)
	held.add(remove)
	return handle(&observedStream{ServerStream: stream, ctx: requestctx.WithStream(granted, id), call: call})
}

// endStream ends a streaming call.
func (i *Interceptor) endStream(ctx context.Context, call *call, held releases, err error, panicked any) error {
	defer i.calls.leave()
	held.release()
	return call.end(ctx, nil, err, panicked)
}

// endWhenDetached leaves the end of a streaming call to its transport. It keeps of ctx only what the end
// needs: ctx holds much memory.
//
//nolint:contextcheck // The end outlives the handler's context.
func (i *Interceptor) endWhenDetached(ctx context.Context, call *call, held releases, detachable *detached.Call) {
	if deadline, has := ctx.Deadline(); has {
		timer := time.AfterFunc(time.Until(deadline), func() { detachable.Cancel(context.DeadlineExceeded) })
		held.add(func() { timer.Stop() })
	}
	kept := trace.ContextWithSpan(requestctx.WithRequestID(context.Background(), call.requestID), trace.SpanFromContext(ctx))
	detachable.AtEnd(func(err error) error { return i.endStream(kept, call, held, err, nil) })
}

// releases are what a call holds until it ends.
type releases []func()

func (r *releases) add(release func()) { *r = append(*r, release) }

// release releases all, the latest first.
func (r *releases) release() {
	for _, release := range slices.Backward(*r) {
		release()
	}
}

// Idle returns a channel that is closed when no call is running.
func (i *Interceptor) Idle() <-chan struct{} { return i.calls.idle() }

// observedStream replaces the context of a stream, and observes what it contains.
type observedStream struct {
	grpc.ServerStream

	ctx  context.Context //nolint:containedctx // ServerStream has a method that returns it.
	call *call
}

// Context returns the replacement.
func (s *observedStream) Context() context.Context { return s.ctx }

// ForwardsTo returns the observed stream for a watch of one conference: SendMsg observes nothing there.
func (s *observedStream) ForwardsTo() grpc.ServerStream {
	if s.call.method == v2.ParticipantService_WatchParticipants_FullMethodName {
		return s.ServerStream
	}
	return nil
}

// SendMsg counts a conference that is refused as a call that is refused (A16), and notes whether an
// entry of a batch was dialled.
func (s *observedStream) SendMsg(message any) error {
	if m, isOurs := message.(*wire.Message); isOurs {
		if m.Refusal() != nil {
			s.call.interceptor.metrics.Refused(grpcstatus.Reason(m.Refusal()))
		}
		s.call.noteEntry(m.BatchResult())
	}
	return s.ServerStream.SendMsg(message)
}

// noteEntry notes the outcome of an entry; nil is none.
func (c *call) noteEntry(result *v2.BatchResult) {
	switch {
	case result == nil:
	case result.GetParticipant() != nil:
		c.entries = audit.DialledYes
	case c.entries == audit.DialledNo && grpcstatus.Dialled(status.FromProto(result.GetError())) != apierror.DialledNo:
		c.entries = audit.DialledUnknown
	}
}

// withDeadline sets the default deadline of a unary call that has none.
func withDeadline(ctx context.Context, method string) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return ctx, func() {}
	}
	if method == v2.ParticipantService_AddParticipant_FullMethodName {
		return context.WithTimeout(ctx, addDeadline)
	}
	return context.WithTimeout(ctx, defaultDeadline)
}
