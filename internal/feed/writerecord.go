package feed

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// WriteRecord is one write in progress. It records the logical times of its start and end, so
// that the lists and writes of a conference have one order (W5).
type WriteRecord struct {
	hub    *Hub
	key    participant.Key
	sent   roster.LogicalTime
	sentAt time.Time
	// timed reports that sent is known.
	timed bool
	// caller is the span of the call, for the next poll.
	caller trace.SpanContext
	// before are the ids in the roster at the start, and fresh reports that it was fresh.
	before map[string]bool
	fresh  bool
}

// Begin is called just before a write is sent. A write that fails needs no further call.
func (h *Hub) Begin(ctx context.Context, key participant.Key) *WriteRecord {
	r := &WriteRecord{hub: h, key: key, sentAt: h.now(), caller: trace.SpanContextFromContext(ctx)}
	feed := h.lookup(key)
	r.sent, r.timed = h.tick(key, feed)
	if feed != nil {
		r.before, r.fresh = feed.beforeWrite()
	}
	return r
}

// beforeWrite returns the ids in the roster.
func (f *Feed) beforeWrite() (before map[string]bool, fresh bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.roster.IDs(), f.roster.Known() && !f.freshness.stale
}

// Before returns who was in the roster when the write began; fresh is false if there was no
// roster, or a stale one.
func (r *WriteRecord) Before() (has func(id string) bool, fresh bool) {
	return func(id string) bool { return r.before[id] }, r.fresh
}

// Done applies a write that the upstream answered with success to the conference's log.
func (r *WriteRecord) Done(w participant.Write) {
	feed := r.hub.recordWrite(r.key, w.Kind)
	write := roster.Write{Write: w, Sent: r.sent, SentAt: r.sentAt}
	switch {
	case !r.timed:
		r.hub.bringForward(r.key, r.caller)
	case feed != nil:
		feed.addCause(r.caller, causeWrite)
		feed.applyWrite(write)
	default:
		r.hub.applyElsewhere(r.key, newWrite(write, r.hub.now()))
	}
}
