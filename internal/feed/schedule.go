package feed

import (
	"math/rand/v2"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/jitter"
)

// Times of the schedule (W10, W15).
const (
	// quietFactor is how much the wanted interval grows with each list without changes.
	quietFactor = 1.25
	// maxBackoff plus the poll's timeout of 5 s is within 10 s, jitter included.
	maxBackoff = 4500 * time.Millisecond
	// maxRetryAfter caps the upstream's Retry-After.
	maxRetryAfter = time.Minute
	// pollSpread is how much later than its time a list may start, as a share of the
	// interval, so that feeds do not poll at the same moment.
	pollSpread = 0.05
	// failureLead is how much earlier than the interval a failing feed polls, as a share.
	// It compensates for the jitter, so that one failure does not make a quiet feed stale:
	// the next list comes before two intervals have passed since the last success.
	failureLead = 2 * pollSpread
	// listTimeDecay is the share of the expected list time that remains after a list that
	// took less, so that a few slow lists among many make no feed stale.
	listTimeDecay = 0.98
)

// schedule decides when a feed's next list is due. The feed's lock guards it.
type schedule struct {
	base, longest time.Duration
	// want is the interval wanted now, between base and longest.
	want time.Duration
	// listTime is how long a list is expected to take.
	listTime time.Duration
	// failures is the number of consecutive lists that failed.
	failures int
	// attempted reports that a list has begun, and inProgress that one has not ended.
	attempted, inProgress bool
	// started is when the last list started, and due when the next one is due.
	started, due time.Time
	// interval is the time from start to start for the next list, to be multiplied by
	// factor.
	interval time.Duration
	factor   float64
	// expected is the longest interval in force since the last list ended that started at
	// endedStart.
	expected   time.Duration
	endedStart time.Time
	// endedTook is the duration of that list; zero if another process read it.
	endedTook time.Duration
	// backoffUntil is when the back-off ends, and retryAt when the upstream's Retry-After
	// does.
	backoffUntil, retryAt time.Time
	// wrote reports that a write or a control completed since the last list started, and
	// probing that the account asks for a probe.
	wrote, probing bool
	// refreshed reports that a Refresh came since the last list started, and early that this
	// list started before it was due (A12).
	refreshed, early bool
}

func newSchedule(base, longest time.Duration) *schedule {
	return &schedule{
		base: base, longest: longest, want: base,
	}
}

// listStarted records the start of a list.
func (s *schedule) listStarted(now time.Time, early bool) {
	s.started, s.attempted, s.inProgress = now, true, true
	s.wrote, s.probing, s.refreshed, s.early = false, false, false, early
}

// listRead records a list and how long it took. A busy conference is polled at the base
// interval, a quiet one more slowly. An early list shows neither that the conference is quiet
// nor how long a list in turn takes.
func (s *schedule) listRead(busy bool, took time.Duration) {
	s.failures = 0
	if !s.early {
		s.listTime = max(took, time.Duration(float64(s.listTime)*listTimeDecay))
	}
	switch {
	case busy || s.wrote:
		s.want = s.base
	case !s.early:
		s.want = min(time.Duration(float64(s.want)*quietFactor), s.longest)
	}
}

// scheduleNext schedules the list after one that was read.
func (s *schedule) scheduleNext(pace Pace, retryAt time.Time) {
	s.factor = 1 + pollSpread*rand.Float64()
	s.listEnded(pace, retryAt, retryAt)
}

// listFailed schedules the list after one that failed at now: after the back-off or the
// interval in force, whichever is longer (W10).
func (s *schedule) listFailed(now time.Time, pace Pace, retryAt time.Time) {
	backoff := min(s.base<<min(s.failures, 8), maxBackoff-maxBackoff/20)
	s.failures++
	s.factor = 1 - failureLead + pollSpread*rand.Float64()
	s.listEnded(pace, later(now.Add(jitter.Above(backoff, pollSpread)), retryAt), retryAt)
}

// listEnded records the end of a list.
func (s *schedule) listEnded(pace Pace, backoffUntil, retryAt time.Time) {
	s.inProgress, s.backoffUntil, s.retryAt = false, backoffUntil, retryAt
	s.expected, s.endedStart = pace.Interval, s.started
	s.endedTook = time.Since(s.started)
	s.update(pace)
}

// update applies a new pace. It reports whether the next list is now due earlier.
func (s *schedule) update(pace Pace) (earlier bool) {
	s.expected = max(s.expected, pace.Interval)
	s.interval = pace.Share
	if s.failures > 0 {
		s.interval = pace.Interval
	}
	before := s.due
	s.setDue()
	return s.due.Before(before)
}

// intervalInForce returns the interval in force. If the account's interval has become
// shorter than the time since the last list, the next list comes when it was expected
// before, or as soon as the account grants it.
func (s *schedule) intervalInForce(now time.Time, pace Pace) time.Duration {
	return max(pace.Interval, min(s.expected, now.Sub(s.endedStart)))
}

// setDue sets when the next list is due. After a write it is due earlier, but never less
// than the base interval after the last start.
func (s *schedule) setDue() {
	s.due = later(s.started.Add(time.Duration(s.factor*float64(s.interval))), s.backoffUntil)
	if soon := later(s.started.Add(s.base), s.retryAt); s.wrote && soon.Before(s.due) {
		s.due = soon
	}
	if s.probing && s.retryAt.Before(s.due) {
		s.due = s.retryAt
	}
}

// writeCompleted records a write or a control, so that its effect is looked for soon.
func (s *schedule) writeCompleted() {
	s.want, s.wrote = s.base, true
	s.setDue()
}

// probeNow makes the next list due, unless the upstream's Retry-After forbids it.
func (s *schedule) probeNow() {
	s.probing = true
	s.setDue()
}

// retryAt returns until when the Retry-After of an error forbids polls; now if it has none.
func retryAt(now time.Time, err error) time.Time {
	return now.Add(min(apierror.RetryAfterOf(err), maxRetryAfter))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
