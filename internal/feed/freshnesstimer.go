package feed

import (
	"context"
	"log/slog"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

const (
	// maxFreshnessWait bounds the wait between two checks of a fresh feed: the interval in
	// force can become shorter without notice when other feeds end.
	maxFreshnessWait = time.Second
	// intervalTolerance is the relative difference of the interval in force that is not
	// worth a new State.
	intervalTolerance = 0.02
)

// watchFreshness turns the feed stale when it is time. It runs beside the poller, so that a
// poll that hangs cannot hide it (W10).
func (f *Feed) watchFreshness(ctx context.Context) {
	for {
		check := f.checkFreshness()
		if check.turned {
			notify(f.statusAsked)
		}
		timer := time.NewTimer(min(check.wait, maxFreshnessWait))
		select {
		case <-timer.C:
		case <-check.pace.Changed:
		case <-check.reachable:
		case <-f.polled:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// freshnessCheck is the result of a check.
type freshnessCheck struct {
	// wait is when to check again, and before that when pace.Changed or reachable is closed.
	wait      time.Duration
	pace      Pace
	reachable <-chan struct{}
	// turned reports that the feed has just turned stale.
	turned bool
}

// checkFreshness turns the feed stale if it is time.
func (f *Feed) checkFreshness() freshnessCheck {
	reachable, changed := f.logs.Reachable()
	check := f.checkFreshnessLocked(time.Now(), reachable)
	check.reachable = changed
	if check.turned {
		f.logger.Warn("feed turned stale", slog.String("reason", string(f.State().StaleReason)))
	}
	return check
}

// checkFreshnessLocked is checkFreshness under the lock.
func (f *Feed) checkFreshnessLocked(now time.Time, reachable bool) (check freshnessCheck) {
	f.mu.Lock()
	defer f.unlock()
	pace := f.pace()
	f.reschedule(pace)
	interval := f.intervalInForce(now, pace)
	at, away := f.staleAt(now, interval, pace, reachable)
	check = freshnessCheck{wait: at.Sub(now), pace: pace}
	if wait := f.showWithoutNews(now); wait > 0 && f.freshness.stale {
		defer func() { check.wait = min(check.wait, wait) }()
	}
	switch {
	case check.wait <= 0 && (!f.freshness.stale || f.explains(away)):
		check.turned = !f.freshness.stale
		f.freshness.turnStale(pace, away)
		f.publishTurn()
		check.wait = maxFreshnessWait
		return check
	case f.freshness.stale:
		check.wait = maxFreshnessWait
	}
	f.publishInterval(interval)
	return check
}

// staleAt returns when the feed turns stale, and whether that is because the log cannot be
// reached. f.mu is held.
func (f *Feed) staleAt(now time.Time, interval time.Duration, pace Pace, reachable bool) (at time.Time, away bool) {
	at = f.freshness.staleAt(interval, pace)
	switch {
	case reachable:
		f.awaySince = time.Time{}
		return at, false
	case f.awaySince.IsZero():
		f.awaySince = now
	}
	if lost := f.awaySince.Add(awayAfter); lost.Before(at) || f.freshness.stale {
		return lost, true
	}
	return at, true
}

// explains reports whether a log that cannot be reached is why a stale feed has no news, and its
// reason does not say so yet. f.mu is held.
func (f *Feed) explains(away bool) bool {
	reason := f.freshness.reason
	return away && reason != apierror.SharedStateUnavailable && (!f.known() || reason == apierror.PollDelayed)
}

// intervalInForce returns the interval in force: of this process' polls, or that in the
// status of the process that polls. f.mu is held.
func (f *Feed) intervalInForce(now time.Time, pace Pace) time.Duration {
	if f.lease == nil {
		return pace.Interval
	}
	return f.schedule.intervalInForce(now, pace)
}

// pace returns how fast the account lets the feed poll now. f.mu is held.
func (f *Feed) pace() Pace { return f.paceOf(f.schedule) }

// paceOf is pace for a schedule.
func (f *Feed) paceOf(s *schedule) Pace {
	switch {
	case f.source != nil:
		return f.source.Pace(s.want, s.listTime)
	case f.status != nil:
		return Pace{Share: f.status.Interval, Interval: f.status.Interval}
	default:
		return Pace{Share: f.options.PollInterval, Interval: f.options.PollInterval}
	}
}

// reschedule updates when the next list is due: earlier if the account has fewer feeds, or
// if it asks for a probe. f.mu is held.
func (f *Feed) reschedule(pace Pace) {
	if f.source == nil || f.schedule.inProgress {
		return
	}
	earlier := f.schedule.update(pace)
	if f.freshness.lastFailure != "" && f.source.Probe() {
		f.schedule.probeNow()
		earlier = true
	}
	if earlier {
		notify(f.rescheduled)
	}
}

// publishInterval publishes the interval in force if it has changed: the account's other
// feeds change it when they start and end. f.mu is held.
func (f *Feed) publishInterval(interval time.Duration) {
	published := f.State().PollInterval
	if (interval - published).Abs() > time.Duration(intervalTolerance*float64(published)) {
		f.publish(f.State().People, false)
	}
}
