package audian

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/requestctx"
)

// startSpan starts the span of one request. The request carries its trace context.
func startSpan(ctx context.Context, r request) (context.Context, trace.Span) {
	return requestctx.StartSpan(ctx, "upstream "+string(r.operation), clientSpan...)
}

var clientSpan = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient)}

// endSpan ends the span of a request; resp is nil without a response.
func endSpan(span trace.Span, result Result, resp *response) {
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(attribute.String("operation", string(result.Operation)))
	if resp != nil {
		span.SetAttributes(attribute.Int("upstream_status", resp.status))
		if id := resp.requestID(); id != "" {
			requestctx.SetID(span, "upstream_request_id", id)
		}
	}
	if result.Err != nil {
		requestctx.EndSpan(span, result.Err)
		return
	}
	span.End()
}
