package requestctx

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/redact"
)

// TracerName is the name of the gateway's tracer.
const TracerName = "github.com/audian/participant-gateway"

// StartSpan starts a child of the span in ctx, with the tracer of that span. Without traces, and
// outside of a call or a poll, it does nothing. The caller ends the span.
//
//nolint:spancheck // It returns the span.
func StartSpan(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if present := parent.SpanContext(); present.IsRemote() || !present.IsSampled() {
		return ctx, parent // Its methods do nothing.
	}
	return parent.TracerProvider().Tracer(TracerName).Start(ctx, name, options...)
}

// EndSpan ends a span. It records an error by its reason: the text may contain what callers and the
// upstream wrote.
func EndSpan(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		reason := string(apierror.ReasonOf(apierror.From(err)))
		span.SetStatus(codes.Error, reason)
		span.SetAttributes(attribute.String("reason", reason))
	}
	span.End()
}

// SetID sets an attribute with an id. Callers choose ids, so that one may be a phone number, which
// is masked.
func SetID(span trace.Span, key, id string) {
	if span.IsRecording() {
		span.SetAttributes(attribute.String(key, redact.MaskNumbers(id)))
	}
}
