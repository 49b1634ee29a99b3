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

// rate is how many poll requests an account may send a second (W15). The budget's lock guards
// it.
type rate struct {
	// full is the configured rate.
	full float64
	// limit is the rate after the last halving, at halved.
	limit  float64
	halved time.Time
	// adds are the times of the adds within addsOver.
	adds []time.Time
	// paused is the time until which only reconcile lists may be sent.
	paused time.Time
	// ahead is the rate of the requests that are urgent.
	ahead frequency
}

// frequency is an exponentially decaying average of events a second.
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

// at returns the rate at a time.
func (r *rate) at(now time.Time) float64 {
	return max(leastRate, r.regained(now)-float64(len(r.recentAdds(now))))
}

// sustained returns the rate that the feeds' lists can expect in the longer run. Urgent
// requests leave them at least every second request.
func (r *rate) sustained(now time.Time) float64 {
	r.dropOldAdds(now)
	all := max(leastRate, r.regained(now)-float64(len(r.adds))/addsOver.Seconds())
	return all - min(all/2, r.ahead.now(now))
}

// recentAdds returns the adds that lower the rate.
func (r *rate) recentAdds(now time.Time) []time.Time {
	recent, _ := slices.BinarySearchFunc(r.adds, now.Add(-addWeight), func(at, bound time.Time) int {
		if at.After(bound) {
			return 1
		}
		return -1
	})
	return r.adds[recent:]
}

// regained returns the limit at a time, with what was regained since it was halved.
func (r *rate) regained(now time.Time) float64 {
	if r.halved.IsZero() {
		return r.full
	}
	return min(r.full, r.limit+r.full*float64(now.Sub(r.halved))/float64(regainTime))
}

// halve halves the limit, at most once a second.
func (r *rate) halve(now time.Time) {
	if !r.halved.IsZero() && now.Sub(r.halved) < halveEvery {
		return
	}
	r.limit, r.halved = max(leastRate, r.regained(now)/2), now
}

// pause stops all requests but reconcile lists for a while.
func (r *rate) pause(now time.Time, wait time.Duration) {
	r.paused = latest(r.paused, now.Add(min(wait, longestPause)))
}

// addSent lowers the rate for an add that is sent now.
func (r *rate) addSent(now time.Time) {
	r.dropOldAdds(now)
	r.adds = append(r.adds, now)
}

func (r *rate) dropOldAdds(now time.Time) {
	r.adds = slices.DeleteFunc(r.adds, func(at time.Time) bool { return now.Sub(at) >= addsOver })
}

// gap returns the time between two requests.
func (r *rate) gap(now time.Time) time.Duration {
	return time.Duration(float64(time.Second) / r.at(now))
}

// nextAt returns when the next request may be sent after one at last, and when to check
// again: earlier, if an add stops counting before.
func (r *rate) nextAt(last, now time.Time) (next, again time.Time) {
	next = last.Add(r.gap(now))
	again = next
	if adds := r.recentAdds(now); len(adds) > 0 {
		if lighter := adds[0].Add(addWeight); lighter.Before(again) {
			again = lighter
		}
	}
	return next, again
}
