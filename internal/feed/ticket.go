package feed

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// Ticket is one write in progress. It records the logical times of its start and end, so
// that the lists and writes of a conference have one order (W5).
type Ticket struct {
	hub    *Hub
	key    participant.Key
	feed   *Feed
	sent   roster.LogicalTime
	sentAt time.Time
	// before are the ids in the roster at the start, and fresh reports that it was fresh.
	before map[string]bool
	fresh  bool
}

// Begin is called just before a write is sent. A write that fails needs no further call.
func (h *Hub) Begin(key participant.Key) *Ticket {
	t := &Ticket{hub: h, key: key, feed: h.lookup(key), sentAt: time.Now()}
	if t.feed != nil {
		t.sent, t.before, t.fresh = t.feed.beginWrite()
	}
	return t
}

// beginWrite returns the logical time of a write's start, and the ids in the roster then.
func (f *Feed) beginWrite() (sent roster.LogicalTime, before map[string]bool, fresh bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tick(), f.roster.IDs(), f.roster.Known() && !f.freshness.stale
}

// Before returns who was in the roster when the write began; fresh is false if there was no
// roster, or a stale one.
func (t *Ticket) Before() (has func(id string) bool, fresh bool) {
	return func(id string) bool { return t.before[id] }, t.fresh
}

// Done applies a write that the upstream answered with success to the conference's feed. A
// feed that started after the write was sent has applied no earlier list.
func (t *Ticket) Done(w participant.Write) {
	feed := t.hub.recordWrite(t.key, w.Kind)
	if feed == nil {
		return
	}
	sent := t.sent
	if feed != t.feed {
		sent = 0
	}
	feed.applyWrite(roster.Write{Write: w, Sent: sent, SentAt: t.sentAt})
}
