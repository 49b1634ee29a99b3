package feed

import (
	"context"
	"log/slog"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/roster"
)

// newsTime is how long a feed that goes on in a log waits for news of a list before it shows the
// roster as stale: less than a stream waits for its first message (W1).
const newsTime = 4 * time.Second

// follow applies what the log receives, until ctx ends.
func (f *Feed) follow(ctx context.Context) {
	f.log.Follow(ctx, func(u Update) {
		switch {
		case u.Snapshot != nil:
			f.applySnapshot(ctx, u.Snapshot)
		case u.Commit != nil:
			f.applyCommit(u.Commit)
		default:
			f.serve(u.Request)
		}
	})
}

// applyCommit applies a commit of another process, or one of this process that came back before
// its answer.
func (f *Feed) applyCommit(c *Commit) {
	if f.applyCommitLocked(c) {
		f.logger.Info("feed ended", slog.String("reason", string(apierror.ReasonOf(f.State().End.Err))))
		f.onEnd()
	}
	notify(f.polled)
}

func (f *Feed) applyCommitLocked(c *Commit) (ended bool) {
	f.mu.Lock()
	defer f.unlock()
	if f.unusable != nil && c.Head.follows(*f.unusable) {
		f.unusable = &c.Head
		f.announceReached()
	}
	if f.unusable != nil || !c.Head.follows(f.head) || f.end != nil {
		return false
	}
	was := f.shown()
	f.apply(*c)
	if c.Status != nil {
		f.adopt(c.Status, c.At)
	}
	f.heard(c)
	f.publishAfter(was, c.Status == nil || c.Status.Listed)
	return f.end != nil
}

// heard lets a process that polls read its next list earlier after another's write. The requests
// to one that does not poll have reached the one that does. f.mu is held.
func (f *Feed) heard(c *Commit) {
	switch {
	case c.Status != nil && f.lease == nil:
		f.schedule.wrote, f.schedule.refreshed = false, false
	case c.Status == nil && f.lease != nil:
		f.schedule.writeCompleted()
		notify(f.rescheduled)
	}
}

// applySnapshot applies the log as it is now.
func (f *Feed) applySnapshot(ctx context.Context, s *Snapshot) {
	if f.applySnapshotLocked(s) {
		f.onEnd()
		return
	}
	switch {
	case s.State == Unreadable:
		f.request(ctx, BeginLog)
	case s.State == Loaded && s.Status != nil && !f.State().Known:
		f.request(ctx, PublishStatus)
	}
	notify(f.polled)
}

// applySnapshotLocked is applySnapshot under the lock. It reports whether the feed has ended.
func (f *Feed) applySnapshotLocked(s *Snapshot) (ended bool) {
	f.mu.Lock()
	defer f.unlock()
	first := !f.loaded
	if first {
		f.loaded, f.loadedAt = true, time.Now()
	}
	defer f.announceReached()
	switch {
	case f.end != nil, s.Head.Epoch == f.replaced && s.Head != Head{}:
		return false
	case s.State == Loaded && s.Head.Epoch == f.head.Epoch:
		f.unusable = nil
		if first || s.Head.Commits > f.head.Commits {
			f.load(s, first)
		}
	case s.State != Loaded, first && s.Status != nil && s.Status.Ended != nil, f.roster.Known() && !s.Roster.Marks.Known:
		f.unusable = &s.Head
	default:
		f.load(s, first)
	}
	return f.end != nil
}

// load replaces the roster and the history by those of a snapshot. What a snapshot contains about
// freshness counts only for a feed that is known: a log alone is no news of a list. f.mu is held.
func (f *Feed) load(s *Snapshot, first bool) {
	was := f.shown()
	if s.Head.Epoch != f.head.Epoch {
		f.history.restart(s.Floor)
	}
	last := f.head.Seq
	if first || s.Head.Epoch != f.head.Epoch {
		last = s.Floor
	}
	f.head, f.unusable, f.renew = s.Head, nil, false
	f.roster = roster.New(f.key.Conference)
	f.roster.Apply(s.Roster)
	f.clock = max(f.clock, f.roster.Marks().LastList)
	for _, entry := range s.Entries {
		if entry.Seq > last {
			f.history.add(entry)
		}
	}
	if s.Status != nil {
		f.loadStatus(s.Status)
	}
	f.publishAfter(was, true)
}

func (f *Feed) loadStatus(status *Status) {
	f.status = status
	fresh := *f.freshness
	f.adopt(status, f.now())
	if !f.news {
		f.freshness.stale, f.freshness.reason = fresh.stale, fresh.reason
	}
}

// known reports whether watchers see the roster: it has been read, and there was news of a list,
// or none came in time. f.mu is held.
func (f *Feed) known() bool { return f.roster.Known() && f.news }

// showWithoutNews shows a roster that came from the log when no news of a list has come in time.
// It returns how long there is still time; 0 if it waits for nothing. f.mu is held.
func (f *Feed) showWithoutNews(now time.Time) (wait time.Duration) {
	if f.news || !f.roster.Known() {
		return 0
	}
	wait = f.loadedAt.Add(newsTime).Sub(now)
	if wait <= 0 {
		was := f.shown()
		f.news = true
		f.publishAfter(was, true)
		notify(f.statusAsked)
	}
	return max(wait, 0)
}

// serve does what another process asks for, if this one polls.
func (f *Feed) serve(request Request) {
	f.mu.Lock()
	leads := f.lease != nil
	f.mu.Unlock()
	switch {
	case !leads:
	case request == ListSoon:
		f.bringForward()
	case request == ListEarly:
		f.refresh()
	case request == PublishStatus:
		notify(f.statusAsked)
	case request == BeginLog:
		f.beginLog()
	}
}

// beginLog makes the next draft begin a new log, and brings it forward.
func (f *Feed) beginLog() {
	f.mu.Lock()
	f.renew = true
	f.mu.Unlock()
	f.bringForward()
}

// commitStatuses commits the status when the feed turns stale or another process asks for it. It
// runs beside the freshness timer, which must not wait for a log that cannot be reached.
func (f *Feed) commitStatuses(ctx context.Context) {
	for {
		select {
		case <-f.statusAsked:
			f.commitStatus() //nolint:contextcheck // The lease has the context.
		case <-ctx.Done():
			return
		}
	}
}

// commitStatus lets the other processes know how fresh the roster is, while this one polls and has
// news of a list: its own commit would be taken for news.
func (f *Feed) commitStatus() {
	f.mu.Lock()
	lease := f.lease
	f.mu.Unlock()
	if lease == nil {
		return
	}
	f.commit(lease.Context(), func() *Draft {
		if f.lease != lease || f.unusable != nil || !f.known() {
			return nil
		}
		return &Draft{Lease: f.lease, Status: f.newStatus(f.freshness, f.schedule, nil)}
	}, nil)
}

// CatchUp waits until the State contains all that was in the log when it was called. It returns
// false if the log cannot be reached (R8), or there is none now.
func (f *Feed) CatchUp(ctx context.Context) bool {
	f.mu.Lock()
	head := f.head
	f.mu.Unlock()
	snapshot, err := f.log.Load(ctx, head)
	if err != nil {
		return false
	}
	switch snapshot.State {
	case Unchanged:
		return true
	case Loaded:
		return f.reachSoon(ctx, snapshot.Head)
	default:
		return false // The next list begins a log.
	}
}

// reachSoon waits at most catchUpTime until the feed has applied the log up to a head.
func (f *Feed) reachSoon(ctx context.Context, head Head) bool {
	ctx, cancel := context.WithTimeout(ctx, catchUpTime)
	defer cancel()
	return f.reach(ctx, head)
}

// reach waits until the feed has applied the log up to a head; the zero head is in every log.
func (f *Feed) reach(ctx context.Context, head Head) bool {
	for {
		reached, changed := f.hasReached(head)
		if reached {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// hasReached reports whether the feed has applied the log up to a head. If not, the channel is
// closed when it has applied more.
func (f *Feed) hasReached(head Head) (reached bool, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loaded && (head.isIn(f.head) || f.unusable != nil && head.isIn(*f.unusable)) {
		return true, nil
	}
	if f.reached == nil {
		f.reached = make(chan struct{})
	}
	return false, f.reached
}

// isIn reports whether a log at another head contains this one.
func (h Head) isIn(other Head) bool {
	return h == Head{} || h.Epoch == other.Epoch && h.Commits <= other.Commits
}

// announceReached wakes those who wait for the log. f.mu is held.
func (f *Feed) announceReached() {
	if f.reached != nil {
		close(f.reached)
		f.reached = nil
	}
}
