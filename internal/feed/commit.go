package feed

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/roster"
)

// catchUpTime is how long a commit waits for what another process has appended before it.
const catchUpTime = time.Second

// commitAttempts is how often a draft is planned while others append before it.
const commitAttempts = 20

// commit appends a draft to the log and applies it: the one way in which this process changes
// the roster. plan makes the draft of the roster as it is, or returns nil if nothing is to be
// appended; it is called again when another process has appended meanwhile. applied is called
// with the change, so that one State contains both. f.mu is held for both.
func (f *Feed) commit(ctx context.Context, plan func() *Draft, applied func()) (committed bool) {
	select {
	case f.commits <- struct{}{}:
		defer func() { <-f.commits }()
	case <-ctx.Done():
		return false
	}
	for range commitAttempts {
		draft := f.draft(plan)
		if draft == nil {
			return false
		}
		result, err := f.log.Append(ctx, draft)
		switch {
		case err != nil || result.Outcome == Refused:
			return false
		case result.Outcome == Appended:
			f.observe(f.applyOwn(draft, result, applied))
			return true
		case result.Outcome == Repeated:
			f.reachSoon(ctx, result.Head)
			f.applyOwn(draft, Result{}, applied)
			return true
		case result.Outcome == Missing:
			f.replaceLog()
		case !f.catchUp(ctx, result.Head):
			return false
		}
	}
	return false
}

// catchUp waits until the feed has what other processes have appended.
func (f *Feed) catchUp(ctx context.Context, head Head) bool {
	f.mu.Lock()
	if head.Epoch == f.head.Epoch {
		f.unusable = nil // The log can be used after all.
	}
	f.mu.Unlock()
	return f.reachSoon(ctx, head)
}

// draft completes the draft that plan returns.
func (f *Feed) draft(plan func() *Draft) *Draft {
	f.mu.Lock()
	defer f.mu.Unlock()
	draft := plan()
	if draft == nil {
		return nil
	}
	draft.planned, draft.Expected, draft.Clock = f.head, f.head, f.clock
	if draft.Lease != nil {
		draft.Floor = f.history.floor // The process that polls says how much is kept.
	}
	if f.unusable != nil {
		draft.Expected = *f.unusable
	}
	if f.unusable != nil || f.renew || draft.makesKnown(f.roster) {
		base := f.baseAfter(draft)
		draft.Base = &base
	}
	return draft
}

// baseAfter returns the whole roster after a draft. Only a list has marks. f.mu is held.
func (f *Feed) baseAfter(draft *Draft) roster.Batch {
	batch := draft.Batch
	if draft.Status == nil || !draft.Status.Listed {
		batch.Marks = f.roster.Marks()
	}
	after := roster.New(f.key.Conference)
	after.Apply(f.roster.Base())
	after.Apply(batch)
	return after.Base()
}

// makesKnown reports whether the draft is the first list. It begins a new log, so that a log with
// a roster that is not known replaces none that is.
func (d *Draft) makesKnown(r *roster.Roster) bool {
	return d.Status != nil && d.Status.Listed && !r.Known()
}

// replaceLog makes the next draft begin a new log.
func (f *Feed) replaceLog() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unusable = &Head{}
}

// applyOwn applies a draft that was appended, unless it came back from the log before.
func (f *Feed) applyOwn(draft *Draft, result Result, applied func()) (entry *Entry) {
	f.mu.Lock()
	defer f.unlock()
	was := f.shown()
	switch {
	case draft.Base != nil && f.head == draft.planned && result.Outcome == Appended:
		f.replaced = draft.Expected.Epoch
		f.restart(result.Head)
		f.apply(Commit{Head: result.Head, Tick: result.Tick, Batch: draft.Batch, Status: draft.Status})
		f.history.restart(f.head.Seq)
	case result.Head.follows(f.head):
		entry = f.apply(Commit{Head: result.Head, Tick: result.Tick, At: f.now(), Batch: draft.Batch, Status: draft.Status})
	}
	if draft.Status != nil {
		f.news = true // Also if the draft came back with a snapshot before its answer.
	}
	if applied != nil {
		applied()
	}
	f.publishAfter(was, draft.changesRoster())
	return entry
}

// follows reports whether a commit at head h comes directly after one at before.
func (h Head) follows(before Head) bool {
	return h.Epoch == before.Epoch && h.Commits == before.Commits+1
}

// changesRoster reports whether a State after the draft shows other participants, or the same
// at a later time.
func (d *Draft) changesRoster() bool { return d.Status == nil || d.Status.Listed }

// apply applies a commit that follows the head. It returns nil if watchers see no change. f.mu
// is held.
func (f *Feed) apply(c Commit) *Entry {
	f.head = c.Head
	f.clock = max(f.clock, c.Tick)
	if c.Status != nil {
		f.status, f.news = c.Status, true
	}
	if c.Status != nil && c.Status.Listed {
		c.Batch.Marks.LastList = c.Tick
	} else {
		c.Batch.Marks = f.roster.Marks()
	}
	f.roster.Apply(c.Batch)
	f.announceReached()
	return f.history.append(c.Batch, c.Head.Seq, c.At)
}

// restart takes the head of a new log. f.mu is held.
func (f *Feed) restart(head Head) {
	f.head, f.unusable, f.renew = head, nil, false
	f.history.restart(head.Seq)
}

// shown is what watchers are woken for if it changes.
type shown struct {
	head         Position
	known, stale bool
	ended        bool
}

// differs reports whether more differs than the number of entries.
func (s shown) differs(other shown) bool {
	other.head.Seq = s.head.Seq
	return s != other
}

func (f *Feed) shown() shown {
	return shown{head: f.head.Position, known: f.known(), stale: f.freshness.stale, ended: f.end != nil}
}

// publishAfter publishes what has changed; others reports that the State has other participants,
// or the same at a later time. Watchers are woken for changes that they see: not for
// a batch without visible changes, which takes a number. f.mu is held.
func (f *Feed) publishAfter(was shown, others bool) {
	people := f.State().People
	if others || was.head.Epoch != f.head.Epoch {
		people = f.roster.People()
	}
	now := f.shown()
	if now.differs(was) {
		f.turns++
	}
	entries := f.history.entries
	unseen := len(entries) == 0 || entries[len(entries)-1].Seq <= was.head.Seq
	if unseen && f.history.floor <= was.head.Seq {
		now.head.Seq = was.head.Seq
	}
	f.publish(people, was != now)
}

// now returns the time by the log's clock, with this process' monotonic reading.
func (f *Feed) now() time.Time { return time.Now().Add(f.logs.Ahead()) }

func (f *Feed) observe(entry *Entry) {
	if entry != nil && f.options.Observer != nil {
		f.options.Observer.Appended(*entry)
	}
}
