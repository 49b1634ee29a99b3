package upstream

import (
	"math"
	"slices"
	"time"
)

const (
	// leastRate is what polls may always send a second, whatever else goes on (W15).
	leastRate = 1.0
	// regainTime is how long it takes to regain the whole rate: slowly, because the
	// upstream's bucket fills no faster.
	regainTime = 40 * time.Second
	// halveEvery keeps the many answers that tell of one shortage from counting each.
	halveEvery = time.Second
	// addWeighs is how long an add takes one off the rate.
	addWeighs = time.Second
	// addsOver is over how long adds are averaged for what can be expected: a burst is
	// soon over, and no plan is to rest on it. It is less than the time in which a feed
	// turns stale, so that the interval in force shows adds that go on before that.
	addsOver = 4 * time.Second
	// longestPause caps what a 429 may ask of the polls.
	longestPause = time.Minute
	// aheadOver is over how long the requests that went ahead are averaged.
	aheadOver = 10 * time.Second
)

// rate is how many poll requests an account may send a second now (W15). It belongs to
// the budget's lock.
type rate struct {
	// full is what may be sent where nothing is in the way.
	full float64
	// limit is what was left after the last halving, at halved.
	limit  float64
	halved time.Time
	// adds are the times of those within addsOver.
	adds []time.Time
	// paused is until when nothing may be sent but A1's reads.
	paused time.Time
	// ahead are the requests a second that go ahead of the feeds' own.
	ahead frequency
}

// frequency is how often something happens: an average in which older events count ever
// less.
type frequency struct {
	perSecond float64
	at        time.Time
}

func (f *frequency) note(now time.Time) {
	f.perSecond, f.at = f.now(now)+1/aheadOver.Seconds(), now
}

func (f *frequency) now(now time.Time) float64 {
	return f.perSecond * math.Exp(-float64(now.Sub(f.at))/float64(aheadOver))
}

func newRate(full float64) *rate { return &rate{full: full, limit: full} }

// at is the rate at a time.
func (r *rate) at(now time.Time) float64 {
	return max(leastRate, r.regained(now)-float64(len(r.weighing(now))))
}

// lasting is the rate that can be expected to last for the feeds' lists. What goes ahead
// of them leaves them every second request.
func (r *rate) lasting(now time.Time) float64 {
	r.forget(now)
	all := max(leastRate, r.regained(now)-float64(len(r.adds))/addsOver.Seconds())
	return all - min(all/2, r.ahead.now(now))
}

// weighing are the adds of the last second.
func (r *rate) weighing(now time.Time) []time.Time {
	recent, _ := slices.BinarySearchFunc(r.adds, now.Add(-addWeighs), func(at, bound time.Time) int {
		if at.After(bound) {
			return 1
		}
		return -1
	})
	return r.adds[recent:]
}

// regained is the limit at a time, as far as it has been regained since it was halved.
func (r *rate) regained(now time.Time) float64 {
	if r.halved.IsZero() {
		return r.full
	}
	return min(r.full, r.limit+r.full*float64(now.Sub(r.halved))/float64(regainTime))
}

// halve halves the limit, but once a second at most.
func (r *rate) halve(now time.Time) {
	if !r.halved.IsZero() && now.Sub(r.halved) < halveEvery {
		return
	}
	r.limit, r.halved = max(leastRate, r.regained(now)/2), now
}

// pause lets nothing but A1's reads be sent for a while.
func (r *rate) pause(now time.Time, wait time.Duration) {
	r.paused = latest(r.paused, now.Add(min(wait, longestPause)))
}

// added takes one off for an add that leaves now.
func (r *rate) added(now time.Time) {
	r.forget(now)
	r.adds = append(r.adds, now)
}

func (r *rate) forget(now time.Time) {
	r.adds = slices.DeleteFunc(r.adds, func(at time.Time) bool { return now.Sub(at) >= addsOver })
}

// gap is the time between two requests.
func (r *rate) gap(now time.Time) time.Duration {
	return time.Duration(float64(time.Second) / r.at(now))
}

// after is when the next request may be sent after one at last; again is when to look
// again, earlier where an add ceases to count before.
func (r *rate) after(last, now time.Time) (next, again time.Time) {
	next = last.Add(r.gap(now))
	again = next
	if adds := r.weighing(now); len(adds) > 0 {
		if lighter := adds[0].Add(addWeighs); lighter.Before(again) {
			again = lighter
		}
	}
	return next, again
}
