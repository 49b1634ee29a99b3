package feed

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

const (
	// maxChangeAge is how long a write may take to reach the log. Then the poll brings it (R7).
	maxChangeAge = 5 * time.Second
	// changeWait is how long a call waits until its write has reached the log.
	changeWait = 50 * time.Millisecond
	// maxChanges is how many writes of one feed may be under way to the log. A log that can be
	// reached takes them faster than an upstream.
	maxChanges = 256
)

// change is a write or a control that has succeeded.
type change struct {
	// answered is when it was answered, by the log's clock.
	answered time.Time
	// plan returns its effect on a roster, given the logical time at which it was completed.
	plan func(r *roster.Roster, done roster.LogicalTime) roster.Batch
}

// applyWrite applies a write that succeeded to the roster, and lets the poller read the
// next list earlier.
func (f *Feed) applyWrite(w roster.Write) {
	now := time.Now()
	f.mu.Lock()
	if w.Kind == participant.WriteAdd {
		f.lastAdd = now
		f.freshness.addSucceeded()
	}
	f.mu.Unlock()
	f.applyChange(newWrite(w, shift(now, f.logs.Ahead())))
}

func newWrite(w roster.Write, answered time.Time) change {
	w.DoneAt = answered
	return change{answered: answered, plan: func(r *roster.Roster, done roster.LogicalTime) roster.Batch {
		w.Done = done
		return r.PlanWrite(w)
	}}
}

func newControl(c roster.Control, answered time.Time) change {
	c.DoneAt = answered
	return change{answered: answered, plan: func(r *roster.Roster, done roster.LogicalTime) roster.Batch {
		c.Done = done
		return r.PlanControl(c)
	}}
}

// applyChange commits a change after those before it, and brings the next list forward. The
// call that made it waits only for a moment: then the change goes on its way alone.
func (f *Feed) applyChange(c change) {
	f.writeCompleted()
	defer notify(f.rescheduled)
	done := make(chan struct{})
	before, accepted := f.queueChange(done)
	if !accepted {
		return
	}
	if before == nil && f.tryChange(c, changeWait) {
		f.changeDone(done)
		return
	}
	f.background(func() {
		defer f.changeDone(done)
		if before != nil {
			<-before
		}
		_ = panics.Recover(f.logger, "a write's way to the log", func() { f.tryChange(c, maxChangeAge-f.now().Sub(c.answered)) })
	})
	if before != nil {
		waitBriefly(done)
	}
}

// waitBriefly waits until a change is done, for changeWait at most.
func waitBriefly(done <-chan struct{}) {
	timer := time.NewTimer(changeWait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// queueChange returns the channel that is closed when the change before is done; nil for none.
func (f *Feed) queueChange(done chan struct{}) (before chan struct{}, accepted bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changes >= maxChanges {
		return nil, false
	}
	before, f.lastChange = f.lastChange, done
	f.changes++
	return before, true
}

func (f *Feed) changeDone(done chan struct{}) {
	close(done)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes--
	if f.lastChange == done {
		f.lastChange = nil
	}
}

// tryChange commits a change within a time. It returns false if the log has not decided in time.
// Then it may be committed, and to try again changes nothing.
func (f *Feed) tryChange(c change, within time.Duration) (decided bool) {
	ctx, cancel := context.WithTimeout(f.ctx, within)
	defer cancel()
	if !f.reach(ctx, Head{}) {
		return false
	}
	done, err := f.log.Tick(ctx, f.knownTime())
	if err != nil {
		return false
	}
	hidden := false
	committed := f.commit(ctx, func() *Draft {
		if f.end != nil {
			return nil
		}
		batch := c.plan(f.roster, done)
		if hidden = batch.Empty(); hidden {
			return nil
		}
		return &Draft{Answered: c.answered, Batch: batch}
	}, nil)
	if hidden {
		f.request(ctx, ListSoon)
	}
	return committed || ctx.Err() == nil
}

// bringForward makes the next list due earlier, if this process polls.
func (f *Feed) bringForward() {
	f.writeCompleted()
	notify(f.rescheduled)
}

func (f *Feed) writeCompleted() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.schedule.writeCompleted()
}

// request asks the process that polls, unless it is this one.
func (f *Feed) request(ctx context.Context, request Request) {
	f.mu.Lock()
	leads := f.lease != nil
	f.mu.Unlock()
	if !leads {
		f.logs.Request(ctx, f.key, request)
	}
}
