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
	// early is by how much less than the interval a failing feed waits. It makes up for
	// the jitter, so that one failure alone makes no quiet feed stale: two intervals after
	// the last success are over with the next.
	early = 2 * jitter
	// slowest is the share of the longest list that is still expected after one more that
	// took less: a few slow lists in many are to make no feed stale.
	slowest = 0.98
)

// schedule says when a feed's next list is due. It belongs to the feed's lock.
type schedule struct {
	base, longest time.Duration
	// want is the interval wanted now, between base and longest.
	want time.Duration
	// takes is how long a list is expected to take.
	takes time.Duration
	// failures is how many lists failed in a row.
	failures int
	// attempted says that a list has begun, listing that one is under way.
	attempted, listing bool
	// started is when the last list started, due when the next is to.
	started, due time.Time
	// interval is the time from list to list that the next one waits for, varied by factor.
	interval time.Duration
	factor   float64
	// expected is the longest interval in force since the last list ended, which had begun
	// at ended.
	expected time.Duration
	ended    time.Time
	// earliest is when the back-off is over, asked until when the upstream asked to be
	// left alone.
	earliest, asked time.Time
	// wrote says that a write completed since the last list started, probing that the
	// account asks for a poll out of turn.
	wrote, probing bool
	random         *rand.Rand
}

func newSchedule(base, longest time.Duration) *schedule {
	return &schedule{
		base: base, longest: longest, want: base,
		random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}
}

// begin notes the start of a list.
func (s *schedule) begin(now time.Time) {
	s.started, s.attempted, s.listing = now, true, true
	s.wrote, s.probing = false, false
}

// read notes that a list was read, and how long it took. A conference in which something
// happens is read at the base interval, a quiet one more slowly.
func (s *schedule) read(lively bool, took time.Duration) {
	s.failures = 0
	s.takes = max(took, time.Duration(float64(s.takes)*slowest))
	if lively || s.wrote {
		s.want = s.base
		return
	}
	s.want = min(time.Duration(float64(s.want)*slowdown), s.longest)
}

// next sets the next list's time after one that was read. The upstream may have asked for
// a longer wait.
func (s *schedule) next(pace Pace, asked time.Time) {
	s.factor = 1 + jitter*s.random.Float64()
	s.end(pace, asked, asked)
}

// failed sets the next list's time after one that failed at now: the longer of the
// back-off and the interval in force has gone by (W10).
func (s *schedule) failed(now time.Time, pace Pace, asked time.Time) {
	backoff := min(s.base<<min(s.failures, 8), maxBackoff-maxBackoff/20)
	s.failures++
	s.factor = 1 - early + jitter*s.random.Float64()
	s.end(pace, latest(now.Add(s.jittered(backoff)), asked), asked)
}

// end notes the end of a list.
func (s *schedule) end(pace Pace, earliest, asked time.Time) {
	s.listing, s.earliest, s.asked = false, earliest, asked
	s.expected, s.ended = pace.Interval, s.started
	s.adjust(pace)
}

// adjust sets the next list's time anew, as the account's other feeds come and go and its
// rate changes; true where the list is due earlier than before.
func (s *schedule) adjust(pace Pace) bool {
	s.expected = max(s.expected, pace.Interval)
	s.interval = pace.Share
	if s.failures > 0 {
		s.interval = pace.Interval
	}
	before := s.due
	s.set()
	return s.due.Before(before)
}

// inForce is the interval in force. Where the account's has become shorter than the time
// since the last list, the next one comes as was expected before, or as soon as the account
// gets to it.
func (s *schedule) inForce(now time.Time, pace Pace) time.Duration {
	return max(pace.Interval, min(s.expected, now.Sub(s.ended)))
}

// set sets the next list's time. A write brings it forward, but never nearer than the base
// interval to the last start.
func (s *schedule) set() {
	s.due = latest(s.started.Add(time.Duration(s.factor*float64(s.interval))), s.earliest)
	if soon := latest(s.started.Add(s.base), s.asked); s.wrote && soon.Before(s.due) {
		s.due = soon
	}
	if s.probing && s.asked.Before(s.due) {
		s.due = s.asked
	}
}

// written notes a write, which is news: what becomes of it is looked for soon.
func (s *schedule) written() {
	s.want, s.wrote = s.base, true
	s.set()
}

// probe makes the next list due, unless the upstream asked to be left alone.
func (s *schedule) probe() {
	s.probing = true
	s.set()
}

// askedUntil is until when a failure asks to be left alone.
func askedUntil(now time.Time, retryAfter time.Duration) time.Time {
	return now.Add(min(retryAfter, maxRetryAfter))
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
