package feed_test

import (
	"slices"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

// causesOf returns the causes that the links of a span name, in order.
func causesOf(span sdktrace.ReadOnlySpan) (causes []string) {
	for _, link := range span.Links() {
		for _, attribute := range link.Attributes {
			causes = append(causes, attribute.Value.AsString())
		}
	}
	return causes
}

func TestLinksOfPolls(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	ctx, call := tracer.Start(t.Context(), "call")
	defer call.End()
	run(t, feed.Options{Tracer: tracer}, func(h *harness) {
		h.Slow(time.Second)
		// causesAfter returns the causes of the poll after calls that are made during one.
		causesAfter := func(calls func()) []string {
			h.nextStart()
			during := len(spans.Ended())
			calls()
			h.advance(10 * time.Second)
			return causesOf(spans.Ended()[during+1])
		}
		if _, _, err := h.hub.Acquire(ctx, h.Upstream, "conf"); err != nil {
			t.Fatal(err)
		}
		h.advance(10 * time.Second)
		if got := causesOf(spans.Ended()[0]); !slices.Equal(got, []string{"first_subscriber"}) {
			t.Errorf("the first poll has the causes %v", got)
		}
		if got := causesAfter(func() {}); got != nil {
			t.Errorf("a poll without a cause has %v", got)
		}
		got := causesAfter(func() {
			h.hub.Begin(ctx, key()).Done(participant.Write{Kind: participant.WriteRemove, Item: itemOf("a")})
			h.hub.BeginControl(ctx, key()).Done(controlled(participant.ControlMute, "a"))
			h.hub.BringForward(ctx, key())
			h.hub.Refresh(ctx, key())
		})
		if !slices.Equal(got, []string{"write", "control", "control", "refresh"}) {
			t.Errorf("the poll after four calls has the causes %v", got)
		}
		got = causesAfter(func() {
			for range 100 {
				h.hub.Refresh(ctx, key())
			}
		})
		if len(got) != 16 {
			t.Errorf("the poll after many calls has %d causes, want 16", len(got))
		}
		got = causesAfter(func() { h.hub.Refresh(trace.ContextWithRemoteSpanContext(t.Context(), call.SpanContext()), key()) })
		if got != nil {
			t.Errorf("a call that the gateway does not record is a cause: %v", got)
		}
	})
}
