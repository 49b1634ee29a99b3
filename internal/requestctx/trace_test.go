package requestctx_test

import (
	"context"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/requestctx"
)

const (
	traceID     = "0af7651916cd43dd8448eb211c80319c"
	traceparent = "00-" + traceID + "-b7ad6b7169203331-01"
)

func TestValidRequestID(t *testing.T) {
	for given, valid := range map[string]bool{
		"r1": true, "!~": true, strings.Repeat("a", 128): true,
		"": false, strings.Repeat("a", 129): false, "a b": false, "a\n": false, "\x7f": false, "\u00e4": false, "\xff": false,
	} {
		got := requestctx.ValidRequestID(given)
		if (got == given) != valid || got == "" {
			t.Errorf("%q: got %q", given, got)
		}
	}
}

func TestParseTraceparent(t *testing.T) {
	for text, valid := range map[string]bool{
		traceparent:                              true,
		"cc" + traceparent[2:]:                   true, // A later version.
		"00-" + traceID + "-b7ad6b7169203331-00": true,
		"":                                       false,
		"00-" + traceID + "-b7ad6b7169203331":    false,
		traceparent + "-x":                       false,
		strings.ToUpper(traceparent):             false,
		"00_" + traceparent[3:]:                  false,
		"ff" + traceparent[2:]:                   false,
		"0g" + traceparent[2:]:                   false,
		"00-" + traceID + "-b7ad6b7169203331-0x": false,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01": false,
		"00-" + traceID + "-0000000000000000-01":                  false,
	} {
		span, ok := requestctx.ParseTraceparent(text)
		if ok != valid {
			t.Errorf("%q: valid is %t, want %t", text, ok, valid)
		}
		if want := "00" + text[min(2, len(text)):]; ok && (requestctx.TraceparentOf(span) != want || !span.IsRemote()) {
			t.Errorf("%q: read as %q, remote %t", text, requestctx.TraceparentOf(span), span.IsRemote())
		}
	}
}

// under returns the context of a call with the caller's trace context.
func under(ctx context.Context) context.Context {
	span, _ := requestctx.ParseTraceparent(traceparent)
	return trace.ContextWithRemoteSpanContext(ctx, span)
}

func TestTraceparentOfAContext(t *testing.T) {
	if got := requestctx.Traceparent(under(t.Context())); got != traceparent {
		t.Errorf("got %q", got)
	}
	if got := requestctx.Traceparent(t.Context()); got != "" {
		t.Errorf("without a span: %q", got)
	}
	if requestctx.TraceID(traceparent) != traceID || requestctx.TraceID("invalid") != "" {
		t.Error("the trace id is not that of the trace context")
	}
}

func TestNewTrace(t *testing.T) {
	first, second := requestctx.NewTrace(), requestctx.NewTrace()
	if !first.IsValid() || first.IsSampled() || first.TraceID() == second.TraceID() {
		t.Errorf("got %v and %v", first, second)
	}
}

// recorder returns a tracer and the spans that it has ended.
func recorder(t *testing.T) (trace.Tracer, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	t.Cleanup(func() { _ = provider.Shutdown(context.WithoutCancel(t.Context())) })
	return provider.Tracer("test"), spans
}

func TestStartSpanWithoutTracesDoesNothing(t *testing.T) {
	ctx := under(t.Context())
	if got, span := requestctx.StartSpan(ctx, "child"); got != ctx || span.IsRecording() {
		t.Error("a span was started under the caller's")
	}
	if got, span := requestctx.StartSpan(t.Context(), "child"); got != t.Context() || span.IsRecording() {
		t.Error("a span was started without a parent")
	}
}

func TestSpanHasNeitherTextsNorNumbers(t *testing.T) {
	tracer, spans := recorder(t)
	ctx, parent := tracer.Start(t.Context(), "parent")
	ctx, span := requestctx.StartSpan(ctx, "child")
	requestctx.SetID(span, "conference_id", "+1 202 555 0134")
	requestctx.EndSpan(span, &apierror.Error{Reason: apierror.UpstreamUnavailable, Message: "for Ann"})
	parent.End()
	if got := requestctx.Traceparent(ctx); !strings.Contains(got, span.SpanContext().SpanID().String()) {
		t.Errorf("the trace context is %q", got)
	}
	child := spans.Ended()[0]
	if child.Parent().SpanID() != parent.SpanContext().SpanID() || child.Status().Description != "UPSTREAM_UNAVAILABLE" {
		t.Errorf("parent %v, status %v", child.Parent(), child.Status())
	}
	for _, attribute := range child.Attributes() {
		if text := attribute.Value.AsString(); strings.Contains(text, "555") || strings.Contains(text, "Ann") {
			t.Errorf("%s is %q", attribute.Key, text)
		}
	}
}
