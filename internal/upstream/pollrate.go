package upstream

import (
	"math"
	"slices"
	"time"
)

const (
	// leastRate is the rate that polls always have (W15).
	leastRate = 1.0
	// regainTime is how long it takes to regain the full rate: slowly, like the upstream's own
	// token bucket.
	regainTime = 40 * time.Second
	// halveEvery bounds how often the rate is halved: many responses may report one shortage.
	halveEvery = time.Second
	// addWeight is how long an add lowers the rate by one.
	addWeight = time.Second
	// addsOver is the time over which adds are averaged for the sustained rate, so that a
	// short burst matters little. It is less than the time in which a feed turns stale, so
	// that the interval in force includes continuous adds before that.
	addsOver = 4 * time.Second
	// longestPause bounds the pause after a 429.
	longestPause = time.Minute
	// aheadOver is the time over which the urgent requests are averaged.
	aheadOver = 10 * time.Second
)

// pollRate is how many poll requests an account may send a second (W15). The budget's lock guards
// it.
type pollRate struct {
	// full is the configured rate.
	full float64
	// divisor is by how much this process divides the rate, because it cannot share it with
	// others. It is 1 if there are none.
	divisor float64
	// limit is the rate after the last halving, at halved.
	limit  float64
	halved time.Time
	// adds are the times of the adds within addsOver.
	adds []time.Time
	// paused is the time until which only reconcile lists may be sent.
	paused time.Time
	// ahead is the rate of the requests that are urgent.
	ahead frequency
	// shared is true while several processes share the rate. Then common is what they know.
	shared bool
	common Common
}

// frequency is an exponentially decaying average of events a second.
type frequency struct {
	perSecond float64
	at        time.Time
}

func (f *frequency) record(now time.Time) {
	f.perSecond, f.at = f.valueAt(now)+1/aheadOver.Seconds(), now
}

func (f *frequency) valueAt(now time.Time) float64 {
	return f.perSecond * math.Exp(-float64(now.Sub(f.at))/float64(aheadOver))
}

func newRate(full float64) *pollRate { return &pollRate{full: full, divisor: 1, limit: full} }

// at returns the rate at a time.
func (r *pollRate) at(now time.Time) float64 {
	return r.without(now, float64(len(r.recentAdds(now))))
}

// sustained returns the rate that the feeds' lists can expect in the longer run. Urgent
// requests leave them at least every second request.
func (r *pollRate) sustained(now time.Time) float64 {
	r.dropOldAdds(now)
	adds, ahead := len(r.adds), r.ahead.valueAt(now)
	if r.shared {
		adds = max(adds, r.common.Adds)
		for _, other := range r.common.Others {
			ahead += other.Ahead
		}
	}
	all := r.without(now, float64(adds)/addsOver.Seconds())
	return all - min(all/2, ahead)
}

// without returns what this process has of the rate without its adds.
func (r *pollRate) without(now time.Time, adds float64) float64 {
	return max(leastRate/r.divisor, r.recoveredLimit(now)/r.divisor-adds)
}

// merge adopts what other processes know. What lowers the rate more is in force.
func (r *pollRate) merge(c Common, now time.Time) {
	r.common = c
	r.paused = latest(r.paused, c.Paused)
	if c.Halved.IsZero() {
		return
	}
	other := pollRate{full: r.full, limit: c.Limit, halved: c.Halved}
	if other.recoveredLimit(now) < r.recoveredLimit(now) {
		r.limit, r.halved = other.limit, other.halved
	}
}

// Copies of the rate differ by no more than limitSlack of it, and those of a pause by
// limitSlackTime.
const (
	limitSlack     = 0.1
	limitSlackTime = 100 * time.Millisecond
)

// unknownTo returns what slows this process but is not known to all: a 429 while they could not
// share it, or they have forgotten it.
func (r *pollRate) unknownTo(c Common, now time.Time) (pause time.Duration, halve bool) {
	if left := r.paused.Sub(now); left > limitSlackTime && r.paused.Sub(c.Paused) > limitSlackTime {
		pause = left
	}
	all := pollRate{full: r.full, limit: c.Limit, halved: c.Halved}
	return pause, r.recoveredLimit(now) < all.recoveredLimit(now)-limitSlack*r.full
}

// recentAdds returns the adds that lower the rate.
func (r *pollRate) recentAdds(now time.Time) []time.Time {
	recent, _ := slices.BinarySearchFunc(r.adds, now.Add(-addWeight), func(at, bound time.Time) int {
		if at.After(bound) {
			return 1
		}
		return -1
	})
	return r.adds[recent:]
}

// recoveredLimit returns the limit at a time, with what was recovered since it was halved.
func (r *pollRate) recoveredLimit(now time.Time) float64 {
	if r.halved.IsZero() {
		return r.full
	}
	return min(r.full, r.limit+r.full*float64(now.Sub(r.halved))/float64(regainTime))
}

// halve halves the limit, at most once a second.
func (r *pollRate) halve(now time.Time) {
	if !r.halved.IsZero() && now.Sub(r.halved) < halveEvery {
		return
	}
	r.limit, r.halved = max(leastRate, r.recoveredLimit(now)/2), now
}

// pause stops all requests but reconcile lists for a while.
func (r *pollRate) pause(now time.Time, wait time.Duration) {
	r.paused = latest(r.paused, now.Add(min(wait, longestPause)))
}

// addSent lowers the rate for an add that is sent now.
func (r *pollRate) addSent(now time.Time) {
	r.dropOldAdds(now)
	r.adds = append(r.adds, now)
}

func (r *pollRate) dropOldAdds(now time.Time) {
	r.adds = slices.DeleteFunc(r.adds, func(at time.Time) bool { return now.Sub(at) >= addsOver })
}

// gap returns the time between two requests.
func (r *pollRate) gap(now time.Time) time.Duration {
	return time.Duration(float64(time.Second) / r.at(now))
}

// nextAt returns when the next request may be sent after one at last, and when to check
// again: earlier, if an add stops counting before.
func (r *pollRate) nextAt(last, now time.Time) (next, again time.Time) {
	next = last.Add(r.gap(now))
	again = next
	if adds := r.recentAdds(now); len(adds) > 0 {
		if lighter := adds[0].Add(addWeight); lighter.Before(again) {
			again = lighter
		}
	}
	return next, again
}
