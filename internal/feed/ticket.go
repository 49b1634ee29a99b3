package feed

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// Ticket is one write under way. The feed stamps its start and end, so that lists
// and writes of a conference are in one order (W5).
type Ticket struct {
	hub    *Hub
	key    participant.Key
	feed   *Feed
	sent   roster.LogicalTime
	sentAt time.Time
	before map[string]bool
	fresh  bool
}

// Begin notes that a write is about to be sent. Where there is no feed, or there will
// be none when the write is answered, nothing is kept.
func (h *Hub) Begin(key participant.Key) *Ticket {
	t := &Ticket{hub: h, key: key, feed: h.lookup(key), sentAt: time.Now()}
	if t.feed != nil {
		t.sent, t.before, t.fresh = t.feed.beginWrite()
	}
	return t
}

// beginWrite stamps the start of a write and lends the ids that the roster holds.
func (f *Feed) beginWrite() (sent roster.LogicalTime, before map[string]bool, fresh bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tick(), f.roster.IDs(), f.roster.Known() && !f.freshness.stale
}

// Before tells who was in the roster when the write began; fresh is false where there
// was none to believe.
func (t *Ticket) Before() (has func(id string) bool, fresh bool) {
	return func(id string) bool { return t.before[id] }, t.fresh
}

// Done tells the feed's watchers of a write that was answered with success. A feed
// that began after the write was sent has seen nothing from before it.
func (t *Ticket) Done(w participant.Write) {
	feed := t.hub.written(t.key, w.Kind)
	if feed == nil {
		return
	}
	sent := t.sent
	if feed != t.feed {
		sent = 0
	}
	feed.write(roster.Write{Write: w, Sent: sent, SentAt: t.sentAt})
}
