package feed

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/requestctx"
)

// cause is why a list is read before a quiet conference needs it.
type cause string

// The causes.
const (
	causeSubscriber cause = "first_subscriber"
	causeWrite      cause = "write"
	causeControl    cause = "control"
	causeRefresh    cause = "refresh"
)

// maxCauses bounds the links of one poll.
const maxCauses = 16

// causes are the sampled calls that caused the next poll, for the links of its span. The feed's
// lock guards them.
type causes struct{ links []trace.Link }

// add adds the span of a call, if it is sampled.
func (c *causes) add(caller trace.SpanContext, why cause) {
	if caller.IsSampled() && !caller.IsRemote() && len(c.links) < maxCauses {
		c.links = append(c.links, trace.Link{
			SpanContext: caller, Attributes: []attribute.KeyValue{attribute.String("cause", string(why))},
		})
	}
}

// take returns the links, and leaves none for the poll after the next.
func (c *causes) take() []trace.Link {
	links := c.links
	c.links = nil
	return links
}

// addCause links the next poll to the span of a call.
func (f *Feed) addCause(caller trace.SpanContext, why cause) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.causes.add(caller, why)
}

// startSpan starts the span of a poll. It has a trace of its own, because it serves many calls.
func (f *Feed) startSpan(ctx context.Context, early bool) (context.Context, trace.Span) {
	f.mu.Lock()
	links := f.causes.take()
	f.mu.Unlock()
	ctx, span := f.options.Tracer.Start(ctx, "poll", trace.WithNewRoot(), trace.WithLinks(links...))
	if span.IsRecording() {
		requestctx.SetID(span, "conference_id", f.key.Conference)
		span.SetAttributes(attribute.Bool("early", early))
	}
	return ctx, span
}
