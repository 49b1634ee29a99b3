package feed

import (
	"context"

	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// tick returns the logical time of a call's start. Without it, what the call changes is not
// published: the poll brings it.
func (h *Hub) tick(key participant.Key, feed *Feed) (sent roster.LogicalTime, ok bool) {
	if feed != nil {
		sent, err := feed.log.Tick(h.ctx, feed.knownTime())
		return sent, err == nil
	}
	sent, err := h.logs.Open(key).Tick(h.ctx, 0)
	return sent, err == nil
}

// applyElsewhere commits a change to the log that the feeds of other processes keep of a
// conference, if there is one. It does not wait.
func (h *Hub) applyElsewhere(key participant.Key, c change) {
	h.running.Go(func() {
		ctx, cancel := context.WithTimeout(h.ctx, maxChangeAge)
		defer cancel()
		_ = panics.Recover(h.options.Logger, "a write's way to the log", func() { h.commitElsewhere(ctx, key, c) })
	})
}

// commitElsewhere is applyElsewhere without the goroutine.
func (h *Hub) commitElsewhere(ctx context.Context, key participant.Key, c change) {
	log := h.logs.Open(key)
	var done roster.LogicalTime
	for {
		snapshot, err := log.Load(ctx, Head{})
		if err != nil || snapshot.State != Loaded || snapshot.Status != nil && snapshot.Status.Ended != nil {
			return
		}
		if done == 0 {
			if done, err = log.Tick(ctx, snapshot.Roster.Marks.LastList); err != nil {
				return
			}
		}
		copied := roster.New(key.Conference)
		copied.Apply(snapshot.Roster)
		batch := c.plan(copied, done)
		if batch.Empty() {
			h.logs.Request(ctx, key, ListSoon)
			return
		}
		result, err := log.Append(ctx, &Draft{Expected: snapshot.Head, Answered: c.answered, Clock: done, Batch: batch})
		if err != nil || result.Outcome != Conflict {
			return
		}
	}
}
