package interceptor

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/metrics"
	"github.com/audian/participant-gateway/internal/requestctx"
)

const (
	sentTrace       = "0af7651916cd43dd8448eb211c80319c"
	sentTraceparent = "00-" + sentTrace + "-b7ad6b7169203331-01"
)

// tracedCall makes a call whose service answers with an error, and returns its log and the trace
// context that the service saw.
func tracedCall(ctx context.Context, t *testing.T, tracer trace.Tracer, answer error) (log, seen string) {
	t.Helper()
	var text bytes.Buffer
	intercept := New(Options{
		Authenticator: access.NewNoAuth(), Metrics: metrics.New(), Tracer: tracer, Logger: slog.New(slog.NewTextHandler(&text, nil)),
	})
	_, _ = intercept.unary(ctx, v2.ParticipantService_GetParticipant_FullMethodName,
		&v2.GetParticipantRequest{ConferenceId: "conf_1", ParticipantId: "part_1"},
		func(ctx context.Context, _ any) (any, error) {
			seen = requestctx.Traceparent(ctx)
			return nil, answer
		})
	return text.String(), seen
}

func recording() (trace.Tracer, *tracetest.SpanRecorder) {
	spans := tracetest.NewSpanRecorder()
	return sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test"), spans
}

func TestTraceIDOfTheLog(t *testing.T) {
	tracer, spans := recording()
	sent := metadata.NewIncomingContext(t.Context(), metadata.Pairs(headerTraceparent, sentTraceparent))
	for name, way := range map[string]trace.Tracer{"without traces": nil, "with traces": tracer} {
		log, seen := tracedCall(sent, t, way, nil)
		if !strings.Contains(log, "trace_id="+sentTrace) || !strings.HasPrefix(seen, "00-"+sentTrace) {
			t.Errorf("%s: the service saw %s, the log is %s", name, seen, log)
		}
		if (seen == sentTraceparent) != (way == nil) {
			t.Errorf("%s: the service saw %s", name, seen)
		}
		log, seen = tracedCall(t.Context(), t, way, nil)
		if id := requestctx.TraceID(seen); id == "" || !strings.Contains(log, "trace_id="+id) {
			t.Errorf("%s, and no trace context: the service saw %q, the log is %s", name, seen, log)
		}
	}
	if got := len(spans.Ended()); got != 2 {
		t.Errorf("%d spans, want 2", got)
	}
}

func TestSpanOfACallThatFails(t *testing.T) {
	tracer, spans := recording()
	tracedCall(t.Context(), t, tracer, errors.New("a number: +12025550123"))
	span := spans.Ended()[0]
	if span.Status().Code != codes.Error || span.Status().Description != "Internal" || span.SpanKind() != trace.SpanKindServer {
		t.Errorf("the span is %v, %v", span.SpanKind(), span.Status())
	}
	attributes := map[string]string{}
	for _, attribute := range span.Attributes() {
		attributes[string(attribute.Key)] = attribute.Value.AsString()
	}
	want := map[string]string{"method": "GetParticipant", "code": "Internal", "conference_id": "conf_1", "participant_id": "part_1"}
	for key, value := range want {
		if attributes[key] != value {
			t.Errorf("%s is %q, want %q", key, attributes[key], value)
		}
	}
	if len(attributes) != len(want) {
		t.Errorf("attributes: %v", attributes)
	}
}
