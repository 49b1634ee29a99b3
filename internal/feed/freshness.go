package feed

import (
	"maps"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// awayAfter is how long the log may be out of reach before the feed is stale: with the time to
// notice it, less than 5 s (R8).
const awayAfter = 2 * time.Second

// staleAfter is the minimum time without a list, or with all polls of the account failing,
// after which a feed is stale (W10).
const staleAfter = 5 * time.Second

// confirmAfter is how far apart two refusals must be to end a known feed (W11).
const confirmAfter = 2 * time.Second

// addLag is how long after an Add a 404 counts as lag: the upstream does not show yet what
// the Add has created (W1).
const addLag = 10 * time.Second

// freshness decides whether a feed is stale and whether refusals end it. The feed's lock
// guards it.
type freshness struct {
	stale  bool
	reason apierror.Reason
	// lastSuccess is when the last complete list began by the log's clock, and since by this
	// process'. took is its duration.
	lastSuccess, since time.Time
	took               time.Duration
	// lastFailure is why the last poll failed since the last success; empty if none did.
	lastFailure apierror.Reason
	// refusedAt is when each kind of refusal was first received since the last list.
	refusedAt map[apierror.Reason]time.Time
}

// copy returns a copy that can be changed.
func (f *freshness) copy() *freshness {
	c := *f
	c.refusedAt = maps.Clone(f.refusedAt)
	return &c
}

func newFreshness() *freshness {
	return &freshness{stale: true, reason: apierror.PollDelayed, refusedAt: map[apierror.Reason]time.Time{}}
}

// listRead records a list that began at a time of this process' clock. A complete one makes
// the feed fresh.
func (f *freshness) listRead(list participant.List, began time.Time, complete bool) {
	clear(f.refusedAt)
	if !complete {
		f.pollFailed(apierror.UpstreamIncomplete)
		return
	}
	f.stale, f.reason, f.lastFailure = false, "", ""
	f.lastSuccess, f.since, f.took = list.Began, began, list.Ended.Sub(list.Began)
}

// addSucceeded records an Add that succeeded: an earlier 404 no longer proves that the
// conference is gone.
func (f *freshness) addSucceeded() { delete(f.refusedAt, apierror.ConferenceNotFound) }

// pollFailed records why a poll failed.
func (f *freshness) pollFailed(reason apierror.Reason) {
	f.lastFailure = reason
	if f.stale {
		f.reason = reason
	}
}

// staleAt returns when the feed turns stale unless a list succeeds before.
func (f *freshness) staleAt(interval time.Duration, pace Pace) time.Time {
	at := f.since.Add(max(staleAfter, 2*interval+f.took))
	if pace.FailingSince.IsZero() {
		return at
	}
	if failing := pace.FailingSince.Add(staleAfter); failing.Before(at) {
		return failing
	}
	return at
}

// turnStale makes the feed stale. The reason is that the log cannot be reached, or its own last
// failure, or the account's, or that no list came in time.
func (f *freshness) turnStale(pace Pace, away bool) {
	f.stale = true
	switch {
	case away:
		f.reason = apierror.SharedStateUnavailable
	case f.lastFailure != "":
		f.reason = f.lastFailure
	case pace.FailingReason != "":
		f.reason = pace.FailingReason
	default:
		f.reason = apierror.PollDelayed
	}
}

// recordRefusal records a poll's error and reports whether it ends the feed. Only a
// vendor-shaped refusal does: the first one if the feed is not known (W1), otherwise two of them that are
// confirmAfter apart (W11).
func (f *freshness) recordRefusal(err error, now time.Time, known bool) (ends bool) {
	if !apierror.IsAccessRefusal(err) {
		return false
	}
	reason := apierror.ReasonOf(err)
	first, repeated := f.refusedAt[reason]
	if !repeated {
		f.refusedAt[reason] = now
	}
	return !known || repeated && now.Sub(first) >= confirmAfter
}
