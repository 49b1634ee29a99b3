package feed

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/participant"
)

// refreshGap is the least time between the start of a list and the start of an early one (A12).
const refreshGap = 200 * time.Millisecond

// Refresh lets the feed of a watched conference read its next list before that is due (A12). It
// does not start a feed, and does not wait for the list.
func (h *Hub) Refresh(ctx context.Context, key participant.Key) {
	feed := h.watched(key)
	if feed != nil {
		feed.addCause(trace.SpanContextFromContext(ctx), causeRefresh)
	}
	if feed == nil || feed.refresh() {
		h.requestElsewhere(key, feed, ListEarly) //nolint:contextcheck // It outlives the call.
	}
}

// watched returns the live feed of a key, nil if there is none or it has no watcher.
func (h *Hub) watched(key participant.Key) *Feed {
	h.mu.Lock()
	defer h.mu.Unlock()
	if shared := h.feeds[key]; shared == nil || shared.refs == 0 {
		return nil
	}
	return h.live(key)
}

// refresh allows an early list. It returns false if an earlier call has done so since the last
// list.
func (f *Feed) refresh() (first bool) {
	f.mu.Lock()
	refreshed := f.schedule.refreshed
	f.schedule.refreshed = true
	f.mu.Unlock()
	if !refreshed {
		notify(f.rescheduled)
	}
	return !refreshed
}

// nextStart returns when the next list may start: when it is due, or earlier after a Refresh. A
// feed that fails does not start a list early: the upstream may be down.
func (s *schedule) nextStart() time.Time {
	early := later(s.started.Add(refreshGap), s.retryAt)
	if s.refreshed && s.failures == 0 && early.Before(s.due) {
		return early
	}
	return s.due
}

// waitForTurn waits until the account's budget grants the next list. A list that is not due yet
// gets only a turn that no due list needs. ok is false if ctx has ended.
func (f *Feed) waitForTurn(ctx context.Context) (early, ok bool) {
	for f.waitUntilDue(ctx) {
		f.mu.Lock()
		due := f.schedule.due
		f.mu.Unlock()
		if !time.Now().Before(due) {
			return false, f.source.Wait(ctx, f.firstAttempt()) == nil // It fails only with ctx.
		}
		if f.source.WaitEarly(ctx, due, f.rescheduled) {
			return true, true
		}
	}
	return false, false
}
