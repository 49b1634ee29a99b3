package feed

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// ControlRecord is one control in progress. Like a WriteRecord, it gives its start and end a
// place in the order of the conference's lists and writes (A8).
type ControlRecord struct {
	hub    *Hub
	key    participant.Key
	sent   roster.LogicalTime
	sentAt time.Time
	// timed reports that sent is known.
	timed bool
	// caller is the span of the call, for the next poll.
	caller trace.SpanContext
}

// BeginControl is called just before a control is sent. A control that fails needs no further
// call.
func (h *Hub) BeginControl(ctx context.Context, key participant.Key) *ControlRecord {
	r := &ControlRecord{hub: h, key: key, sentAt: h.now(), caller: trace.SpanContextFromContext(ctx)}
	r.sent, r.timed = h.tick(key, h.lookup(key))
	return r
}

// Done applies a control that the upstream answered with success to the conference's log.
func (r *ControlRecord) Done(c participant.Controlled) {
	feed := r.hub.lookup(r.key)
	control := newControl(roster.Control{Controlled: c, Sent: r.sent, SentAt: r.sentAt}, r.hub.now())
	switch {
	case !r.timed:
		r.hub.bringForward(r.key, r.caller)
	case feed != nil:
		feed.addCause(r.caller, causeControl)
		feed.applyChange(control)
	default:
		r.hub.applyElsewhere(r.key, control)
	}
}

// BringForward lets the conference's next list be read as early as after a write. It is for
// calls whose effect only a list can show (A8).
func (h *Hub) BringForward(ctx context.Context, key participant.Key) {
	h.bringForward(key, trace.SpanContextFromContext(ctx)) //nolint:contextcheck // It does not wait for the list.
}

// bringForward is BringForward for the call of a span.
func (h *Hub) bringForward(key participant.Key, caller trace.SpanContext) {
	feed := h.lookup(key)
	if feed != nil {
		feed.addCause(caller, causeControl)
		feed.bringForward()
	}
	h.requestElsewhere(key, feed, ListSoon)
}
