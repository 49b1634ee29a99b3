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
		wait, changed := f.checkFreshness()
		timer := time.NewTimer(min(wait, maxFreshnessWait))
		select {
		case <-timer.C:
		case <-changed:
		case <-f.polled:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// checkFreshness turns the feed stale if it is time. It returns when to check again: after
// wait, or when the account's polls begin or stop failing.
func (f *Feed) checkFreshness() (wait time.Duration, changed <-chan struct{}) {
	wait, pace, reason := f.checkFreshnessLocked(time.Now())
	if reason != "" {
		f.logger.Warn("feed turned stale", slog.String("reason", string(reason)))
	}
	return wait, pace.Changed
}

// checkFreshnessLocked is checkFreshness under the lock. reason is why the feed has just
// turned stale; empty if it has not.
func (f *Feed) checkFreshnessLocked(now time.Time) (wait time.Duration, pace Pace, reason apierror.Reason) {
	f.mu.Lock()
	defer f.unlock()
	pace = f.pace()
	f.reschedule(pace)
	interval := f.schedule.intervalInForce(now, pace)
	wait = f.freshness.staleAt(interval, pace).Sub(now)
	switch {
	case f.freshness.stale:
		wait = maxFreshnessWait
	case wait <= 0:
		f.freshness.turnStale(pace)
		f.publish(f.State().Participants, true)
		return maxFreshnessWait, pace, f.freshness.reason
	}
	f.publishInterval(interval)
	return wait, pace, ""
}

// pace returns how fast the account lets the feed poll now. f.mu is held.
func (f *Feed) pace() Pace { return f.source.Pace(f.schedule.want, f.schedule.listTime) }

// reschedule updates when the next list is due: earlier if the account has fewer feeds, or
// if it asks for a probe. f.mu is held.
func (f *Feed) reschedule(pace Pace) {
	if f.schedule.inProgress {
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
		f.publish(f.State().Participants, false)
	}
}
