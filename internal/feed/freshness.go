package feed

import (
	"context"
	"log/slog"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// staleAfter is the least time without a list, or with every poll of the account
// failing, after which a feed is stale (W10).
const staleAfter = 5 * time.Second

// confirmAfter is how far apart two refusals must be to end a known feed (W11).
const confirmAfter = 2 * time.Second

// addLag is for how long after an Add a 404 is lag: the upstream does not show yet what
// the Add has made (W1).
const addLag = 10 * time.Second

// intervalVaries is by how much, as a share, the interval in force may differ from the one
// published before it is published anew.
const intervalVaries = 0.02

// freshness knows how far a feed can be believed. It belongs to the feed's lock.
type freshness struct {
	stale  bool
	reason apierror.Reason
	// success is when the last complete list began, took how long it took.
	success time.Time
	took    time.Duration
	// failure is why the last poll failed, since the last success; empty where none did.
	failure apierror.Reason
	// refused is when each kind of refusal was first met since the last list.
	refused map[apierror.Reason]time.Time
}

func newFreshness() *freshness {
	return &freshness{stale: true, reason: apierror.PollDelayed, refused: map[apierror.Reason]time.Time{}}
}

// read notes a list that was read. A complete one makes the feed fresh.
func (f *freshness) read(list participant.List, complete bool) {
	clear(f.refused)
	if !complete {
		f.failed(apierror.UpstreamIncomplete)
		return
	}
	f.stale, f.reason, f.failure = false, "", ""
	f.success, f.took = list.Began, list.Ended.Sub(list.Began)
}

// added notes an Add that succeeded: a 404 from before it says no more that the conference
// is gone.
func (f *freshness) added() { delete(f.refused, apierror.ConferenceNotFound) }

// failed notes why a poll failed.
func (f *freshness) failed(reason apierror.Reason) {
	f.failure = reason
	if f.stale {
		f.reason = reason
	}
}

// staleAt is when the feed turns stale if nothing else happens.
func (f *freshness) staleAt(interval time.Duration, pace Pace) time.Time {
	at := f.success.Add(max(staleAfter, 2*interval+f.took))
	if pace.FailingSince.IsZero() {
		return at
	}
	if failing := pace.FailingSince.Add(staleAfter); failing.Before(at) {
		return failing
	}
	return at
}

// turnStale makes the feed stale and tells why: its own last failure, that of the
// account, or no list in time.
func (f *freshness) turnStale(pace Pace) {
	f.stale = true
	switch {
	case f.failure != "":
		f.reason = f.failure
	case pace.FailingReason != "":
		f.reason = pace.FailingReason
	default:
		f.reason = apierror.PollDelayed
	}
}

// ends says whether an upstream refusal at now ends the feed: one does while the feed
// is not known (W1), two far enough apart do afterwards (W11). Whatever is not the
// upstream's own word is an outage.
func (f *freshness) ends(err error, now time.Time, known bool) bool {
	if !apierror.IsAccessRefusal(err) {
		return false
	}
	reason := apierror.ReasonOf(err)
	first, met := f.refused[reason]
	if !met {
		f.refused[reason] = now
	}
	return !known || met && now.Sub(first) >= confirmAfter
}

// judge turns the feed stale when its time has come: a timer of its own, so that a
// poll that hangs cannot hide that it does (W10).
func (f *Feed) judge(ctx context.Context) {
	for {
		wait, changed := f.judgeNow()
		// The interval in force may become shorter unasked, as other feeds end.
		timer := time.NewTimer(min(wait, time.Second))
		select {
		case <-timer.C:
		case <-changed:
		case <-f.judged:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// idleJudge is how often a feed that is stale already is looked at; a poll that ends
// wakes the timer earlier.
const idleJudge = time.Minute

// judgeNow turns the feed stale if it is time, and says when to look again: after a
// while, or when the account's polls begin or cease to fail.
func (f *Feed) judgeNow() (time.Duration, <-chan struct{}) {
	wait, pace, turned := f.look(time.Now())
	if turned != "" {
		f.logger.Warn("feed turned stale", slog.String("reason", string(turned)))
		f.bell.Ring()
	}
	return wait, pace.Changed
}

// look is judgeNow under the lock; turned is why the feed has just turned stale.
func (f *Feed) look(now time.Time) (wait time.Duration, pace Pace, turned apierror.Reason) {
	f.mu.Lock()
	defer f.mu.Unlock()
	pace = f.pace()
	f.reschedule(pace)
	interval := f.schedule.inForce(now, pace)
	if f.freshness.stale {
		f.publishInterval(interval)
		return idleJudge, pace, ""
	}
	if wait = f.freshness.staleAt(interval, pace).Sub(now); wait > 0 {
		f.publishInterval(interval)
		return wait, pace, ""
	}
	f.freshness.turnStale(pace)
	f.publish(f.State().Participants)
	return idleJudge, pace, f.freshness.reason
}

// reschedule has the poller poll earlier where the account's other feeds have become
// fewer, or where the account asks for a poll out of turn. The lock is held.
func (f *Feed) reschedule(pace Pace) {
	if f.schedule.listing {
		return
	}
	earlier := f.schedule.adjust(pace)
	if f.freshness.failure != "" && f.source.Probe() {
		f.schedule.probe()
		earlier = true
	}
	if earlier {
		nudge(f.hurried)
	}
}

// publishInterval makes the interval in force known where it is another: the account's
// other feeds change it as they come and go. The lock is held.
func (f *Feed) publishInterval(interval time.Duration) {
	known := f.State().PollInterval
	if (interval - known).Abs() > time.Duration(intervalVaries*float64(known)) {
		f.publish(f.State().Participants)
	}
}
