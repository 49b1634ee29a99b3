package interceptor

import (
	"context"
	"errors"
	"log/slog"
	"path"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// startSpan starts the span of a call, under the caller's if the call has a trace context. It
// returns the trace context for the log and the response: the caller's own, or a new one. The
// caller ends the span.
//
//nolint:spancheck // It returns the span.
func (i *Interceptor) startSpan(ctx context.Context, method, given string) (_ context.Context, span trace.Span, traceparent string) {
	caller, isValid := requestctx.ParseTraceparent(given)
	if isValid && !requestctx.IsNewTrace(ctx) {
		ctx, span = i.tracer.Start(trace.ContextWithRemoteSpanContext(ctx, caller), spanName(method), serverSpan...)
		return ctx, span, given
	}
	ids := caller // Those that the transport made.
	if !isValid {
		ids = requestctx.NewTrace()
	}
	if _, isNone := i.tracer.(noop.Tracer); isNone {
		return trace.ContextWithRemoteSpanContext(ctx, ids), noop.Span{}, requestctx.TraceparentOf(ids)
	}
	_, span = i.tracer.Start(requestctx.WithRootIDs(ctx, ids), spanName(method), serverSpan...)
	if own := span.SpanContext(); own.IsValid() {
		return trace.ContextWithSpan(ctx, span), span, requestctx.TraceparentOf(own)
	}
	return trace.ContextWithRemoteSpanContext(ctx, ids), span, requestctx.TraceparentOf(ids)
}

var serverSpan = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}

// spanName returns the name of a method's span, as OpenTelemetry's conventions have it.
func spanName(method string) string { return strings.TrimPrefix(method, "/") }

// endSpan ends the span of a call. It has those attributes of the log that are neither a person's
// nor the caller's.
func (c *call) endSpan(st *status.Status, err error) {
	if !c.span.IsRecording() {
		return
	}
	c.span.SetAttributes(attribute.String("method", path.Base(c.method)), attribute.String("code", st.Code().String()))
	if named, ok := c.request.(interface{ GetConferenceId() string }); ok {
		requestctx.SetID(c.span, "conference_id", loggedID(named.GetConferenceId()))
	}
	if named, ok := c.request.(interface{ GetParticipantId() string }); ok {
		requestctx.SetID(c.span, "participant_id", loggedID(named.GetParticipantId()))
	}
	if id := c.ids.UpstreamRequest(); id != "" {
		requestctx.SetID(c.span, "upstream_request_id", id)
	}
	if known, ok := errors.AsType[*apierror.Error](err); ok {
		c.span.SetAttributes(attribute.String("reason", string(known.Reason)))
	}
	if levelOf(st.Code()) == slog.LevelError {
		c.span.SetStatus(codes.Error, st.Code().String())
	}
	c.span.End()
}
