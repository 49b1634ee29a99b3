package feed

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// ControlRecord is one control in progress. Like a WriteRecord, it gives its start and end a
// place in the order of the conference's lists and writes (A8).
type ControlRecord struct {
	hub    *Hub
	key    participant.Key
	feed   *Feed
	sent   roster.LogicalTime
	sentAt time.Time
}

// BeginControl is called just before a control is sent. A control that fails needs no further
// call.
func (h *Hub) BeginControl(key participant.Key) *ControlRecord {
	r := &ControlRecord{hub: h, key: key, feed: h.lookup(key), sentAt: time.Now()}
	if r.feed != nil {
		r.sent = r.feed.beginControl()
	}
	return r
}

// beginControl returns the logical time of a control's start.
func (f *Feed) beginControl() roster.LogicalTime {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tick()
}

// Done applies a control that the upstream answered with success to the conference's feed. A
// feed that started after the control was sent has applied no earlier list.
func (r *ControlRecord) Done(c participant.Controlled) {
	feed := r.hub.lookup(r.key)
	if feed == nil {
		return
	}
	sent := r.sent
	if feed != r.feed {
		sent = 0
	}
	feed.applyControl(roster.Control{Controlled: c, Sent: sent, SentAt: r.sentAt})
}

// BringForward lets the conference's feed read its next list as early as after a write. It is
// for calls whose effect only a list can show (A8).
func (h *Hub) BringForward(key participant.Key) {
	if feed := h.lookup(key); feed != nil {
		feed.bringForward()
	}
}

func (f *Feed) bringForward() {
	f.mu.Lock()
	f.schedule.writeCompleted()
	f.mu.Unlock()
	notify(f.rescheduled)
}
