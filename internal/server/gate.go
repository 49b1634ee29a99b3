package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/service"
)

// gate is what every call passes through, by whichever door it came: it names the
// call, admits the caller, validates the request, bounds the time, and turns whatever
// goes wrong into a status, a log line and a count.
type gate struct {
	policy    access.Policy
	limiter   *access.Limiter
	validator *service.Validator
	metrics   *metrics
	calls     *callCount
	logger    *slog.Logger
}

// Names of metadata, which are HTTP headers too.
const (
	headerRequestID     = "x-request-id"
	headerTraceparent   = "traceparent"
	headerAuthorization = "authorization"
	headerAuthToken     = "x-auth-token"
)

// Deadlines of calls that set none (A6). The upstream allows 60 s to connect.
const (
	defaultDeadline = 30 * time.Second
	addDeadline     = 75 * time.Second
)

func (g *gate) unary(
	ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler,
) (answer any, err error) {
	g.calls.enter()
	defer g.calls.leave()
	ctx, call := g.open(ctx, info.FullMethod, request)
	defer func() { err = call.close(ctx, err, recover()) }()
	// Without a connection, as in a test, there are no headers to set.
	_ = grpc.SetHeader(ctx, call.header())
	ctx, cancel := withDeadline(ctx, info.FullMethod)
	defer cancel()
	if ctx, err = g.admit(ctx, call); err != nil {
		return nil, err
	}
	call.handedOn = true
	return next(ctx, request)
}

func (g *gate) stream(
	server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler,
) (err error) {
	g.calls.enter()
	defer g.calls.leave()
	ctx, call := g.open(stream.Context(), info.FullMethod, service.StreamRequest(server))
	defer func() { err = call.close(ctx, err, recover()) }()
	if err := stream.SetHeader(call.header()); err != nil {
		return fmt.Errorf("set headers: %w", err)
	}
	admitted, err := g.admit(ctx, call)
	if err != nil {
		return err
	}
	release, err := g.limiter.OpenStream(access.From(admitted))
	if err != nil {
		return fmt.Errorf("limit: %w", err)
	}
	defer release()
	held, letGo := access.From(admitted).Grant.Bound(admitted, needOf(call.request))
	defer letGo()
	return next(server, &callStream{ServerStream: stream, ctx: held})
}

// callStream is a stream whose context knows the call.
type callStream struct {
	grpc.ServerStream

	ctx context.Context //nolint:containedctx // A ServerStream is asked for its context.
}

func (s *callStream) Context() context.Context { return s.ctx }

// withDeadline bounds a unary call that has no deadline of its own.
func withDeadline(ctx context.Context, method string) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return ctx, func() {}
	}
	if method == v2.ParticipantService_AddParticipant_FullMethodName {
		return context.WithTimeout(ctx, addDeadline)
	}
	return context.WithTimeout(ctx, defaultDeadline)
}

// call is one call on its way through the gate.
type call struct {
	gate        *gate
	method      string
	request     proto.Message
	requestID   string
	traceparent string
	caller      string
	// handedOn says that the service has the request: before, nothing was sent upstream.
	handedOn bool
	// peer is where a call that was not admitted came from.
	peer     string
	upstream *requestctx.UpstreamRequest
	start    time.Time
}

// header names the call in its answer.
func (c *call) header() metadata.MD {
	return metadata.Pairs(headerRequestID, c.requestID, headerTraceparent, c.traceparent)
}

// open names a call, so that it can be followed through both sides' logs.
func (g *gate) open(ctx context.Context, method string, request any) (context.Context, *call) {
	incoming, _ := metadata.FromIncomingContext(ctx)
	message, _ := request.(proto.Message)
	call := &call{
		gate: g, method: method, request: message, start: time.Now(),
		requestID:   requestctx.FitRequestID(first(incoming.Get(headerRequestID))),
		traceparent: requestctx.FitTraceparent(first(incoming.Get(headerTraceparent))),
	}
	ctx = requestctx.WithRequestID(ctx, call.requestID)
	ctx, call.upstream = requestctx.WithUpstreamRequest(ctx)
	ctx = requestctx.WithTraceparent(ctx, call.traceparent)
	return ctx, call
}

// first is the first of some values, empty where there is none.
func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// close gives the call's error the form in which it leaves, and tells of the call.
func (c *call) close(ctx context.Context, err error, panicked any) error {
	if panicked != nil {
		c.gate.panicked(ctx, c.method, panicked)
		err = fmt.Errorf("panic: %v", panicked)
	}
	err = c.tellDialled(err)
	status := grpcstatus.From(err)
	took := time.Since(c.start)
	c.gate.metrics.called(c.method, status.Code(), took)
	c.gate.metrics.refuse(apierror.ReasonOf(err))
	c.gate.logger.LogAttrs(ctx, levelOf(status.Code()), "call", c.attrs(status, err, took)...)
	return status.Err()
}

// panicked counts and logs a panic that was recovered.
func (g *gate) panicked(ctx context.Context, method string, panicked any) {
	panics.Count()
	g.logger.LogAttrs(ctx, slog.LevelError, "panic",
		slog.String("method", method),
		slog.String("request_id", requestctx.RequestID(ctx)),
		slog.String("panic", fmt.Sprint(panicked)),
		slog.String("stack", string(debug.Stack())))
}

// refused counts and logs a gRPC call whose request could not be read.
func (g *gate) refused(ctx context.Context, method string, err error) {
	incoming, _ := metadata.FromIncomingContext(ctx)
	reason := apierror.ReasonOf(apierror.From(err))
	g.metrics.refuse(reason)
	g.logger.LogAttrs(ctx, slog.LevelWarn, "request refused",
		slog.String("method", path.Base(method)),
		slog.String("request_id", requestctx.FitRequestID(first(incoming.Get(headerRequestID)))),
		slog.String("trace_id", requestctx.TraceID(first(incoming.Get(headerTraceparent)))),
		slog.String("peer", peerAddress(ctx)),
		slog.String("reason", string(reason)))
}

// tellDialled completes an error of an add: every one says whether a phone may ring
// (A1). No phone rings for what failed before the service had the add, whatever it was;
// the service's own errors say so themselves, and of an unexpected one nothing is known.
func (c *call) tellDialled(err error) error {
	if err == nil || c.method != v2.ParticipantService_AddParticipant_FullMethodName {
		return err
	}
	_, isOurs := errors.AsType[*apierror.Error](err)
	own := *apierror.From(err)
	switch {
	case own.Dialled != "":
		return err
	case isOurs, !c.handedOn:
		own.Dialled = apierror.DialledNo
	default:
		own.Dialled = apierror.DialledUnknown
	}
	if !isOurs {
		own.Cause = err
	}
	return &own
}
