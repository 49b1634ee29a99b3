package feed

import (
	"math/rand/v2"
	"time"
)

// Times of the schedule (W10, W15).
const (
	// slowdown is how much longer a quiet conference waits from list to list.
	slowdown = 1.25
	// maxBackoff and the poll's timeout of 5 s stay within 10 s, jitter included.
	maxBackoff = 4500 * time.Millisecond
	// maxRetryAfter caps what the upstream may ask for.
	maxRetryAfter = time.Minute
	// jitter is how much later than its time a list may start, as a share of the
	// interval, so that feeds do not fire together.
	jitter = 0.05
)

// schedule says when a feed's next list is due. It belongs to the feed's lock.
type schedule struct {
	base, longest time.Duration
	// want is the interval wanted now, between base and longest.
	want time.Duration
	// failures is how many lists failed in a row.
	failures int
	// started is when the last list started, due when the next is to.
	started, due time.Time
	// asked is how long the upstream asked to be left alone.
	asked  time.Time
	random *rand.Rand
}

func newSchedule(base, longest time.Duration) *schedule {
	return &schedule{
		base: base, longest: longest, want: base,
		random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}
}

// succeeded sets the next list's time after one that was read. A conference in which
// something happens is read at the base interval, a quiet one more slowly.
func (s *schedule) succeeded(lively bool) {
	s.failures = 0
	if lively {
		s.want = s.base
		return
	}
	s.want = min(time.Duration(float64(s.want)*slowdown), s.longest)
}

// next sets the next list's time, given the interval in force.
func (s *schedule) next(interval time.Duration) {
	s.due = s.started.Add(s.jittered(interval))
}

// failed sets the next list's time after one that failed at now.
func (s *schedule) failed(now time.Time, retryAfter time.Duration) {
	backoff := min(s.base<<min(s.failures, 8), maxBackoff-maxBackoff/20)
	s.failures++
	s.asked = now.Add(min(retryAfter, maxRetryAfter))
	s.due = latest(now.Add(s.jittered(backoff)), s.asked)
}

// wrote brings the next list forward: a write is news, so that what becomes of it is
// looked for soon, but never nearer than the base interval to the last list's start.
func (s *schedule) wrote(now time.Time) {
	s.want = s.base
	soon := latest(latest(now, s.started.Add(s.base)), s.asked)
	if soon.Before(s.due) {
		s.due = soon
	}
}

func (s *schedule) jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 + jitter*s.random.Float64()))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
