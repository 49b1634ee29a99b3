package upstream

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

// DefaultPollRate is the default for the poll requests a second of an account.
const DefaultPollRate = 10

// Fewer than 1/lowTokenShare of the largest number of request tokens ever reported are few.
const lowTokenShare = 5

// timerSlack is the expected delay of a timer. Requests that are spaced more closely make up
// for it, so that a high rate is possible.
const timerSlack = 10 * time.Millisecond

// budget grants an account's poll requests, evenly spaced and never faster than the rate
// (W15).
//
// Under its lock only that of a notifier is taken.
type budget struct {
	logger *slog.Logger
	// turns is nil if no other process polls with the account.
	turns PollTurns

	mu   sync.Mutex
	rate *pollRate
	// last is when a request was last granted, polled when a source's poll last began or
	// ended.
	last, polled time.Time
	queue        pollQueue
	timer        *time.Timer
	sources      []*Source
	fair         cachedInterval
	failures     pollFailures
	// mostTokens is the largest number of request tokens that the upstream has reported.
	mostTokens int
}

func newBudget(perSecond float64, logger *slog.Logger) *budget {
	if perSecond <= 0 {
		perSecond = DefaultPollRate
	}
	return &budget{rate: newRate(perSecond), logger: logger}
}

// open adds a source.
func (b *budget) open(s *Source) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.index = len(b.sources)
	b.sources = append(b.sources, s)
	b.fair.invalidate()
}

// close removes a source. After the last one it clears the poll failures, because no poll
// would.
func (b *budget) close(s *Source) {
	b.mu.Lock()
	defer b.mu.Unlock()
	last := len(b.sources) - 1
	b.sources[s.index] = b.sources[last]
	b.sources[s.index].index = s.index
	b.sources[last] = nil
	b.sources = b.sources[:last]
	b.fair.invalidate()
	if s.polledOnce && !s.hadList {
		// Its one list went before those of the other sources. Sources that open and close all
		// the time slow the others, although they are not among the sources.
		b.rate.ahead.record(time.Now())
	}
	if len(b.sources) == 0 {
		b.failures.clear()
	}
}

// pace returns how often the source may list, and whether the account's polls fail.
func (b *budget) pace(s *Source, want, takes time.Duration) Pace {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := s.minInterval()
	s.want, s.takes = want, takes
	if s.minInterval() != before {
		b.fair.invalidate()
	}
	share := max(want, b.fair.at(time.Now(), b))
	pace := Pace{
		Share:    share,
		Interval: max(share, takes) + s.waits.Truncate(leastWait),
		Changed:  b.failures.changed.wait(),
	}
	if s.failed && !b.failures.since.IsZero() {
		pace.FailingSince, pace.FailingReason = b.failures.since, b.failures.reason
	}
	return pace
}

// take waits until one request may be sent.
func (b *budget) take(ctx context.Context, p priority) error {
	if ctx.Err() != nil {
		return pollWaitEnded(ctx)
	}
	r := b.enqueue(p)
	select {
	case <-r.granted:
		return nil
	case <-ctx.Done():
		b.withdraw(r)
		return pollWaitEnded(ctx)
	}
}

func (b *budget) enqueue(p priority) *pollRequest {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.queue.push(p)
	b.grantDue(0)
	return r
}

// withdraw removes a request. It reports whether the request was granted before.
func (b *budget) withdraw(r *pollRequest) (granted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	granted = r.element == nil
	b.queue.remove(r)
	b.want()
	return granted
}

// takeEarly waits for a turn that no other request waits for, at most until a time, or until
// something is received from stop, or ctx ends. It reports whether the request may be sent.
func (b *budget) takeEarly(ctx context.Context, p priority, until time.Time, stop <-chan struct{}) bool {
	r := b.enqueue(p)
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-r.granted:
		return true
	case <-timer.C:
	case <-stop:
	case <-ctx.Done():
	}
	return b.withdraw(r)
}

// grantDue grants the requests that may be sent now, and sets the timer for the next. A timer
// that was late passes its delay. The lock is held.
func (b *budget) grantDue(late time.Duration) {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	now := time.Now()
	if b.shares() {
		b.grantTurns(now)
		return
	}
	for b.queue.waiting > 0 {
		next, again := b.rate.nextAt(b.last, now)
		r := b.queue.next(now.Before(b.rate.paused))
		if r == nil {
			again = b.rate.paused
		}
		if r == nil || next.After(now) {
			b.timer = time.AfterFunc(again.Sub(now), b.onTimer)
			return
		}
		b.last = latest(next, now.Add(-late))
		b.grant(r, now)
	}
}

// grant grants one request.
func (b *budget) grant(r *pollRequest, now time.Time) {
	if r.priority.isReconcile() {
		b.rate.ahead.record(now)
	} else {
		b.polled = now
	}
	b.queue.grant(r)
}

func (b *budget) onTimer() {
	_ = panics.Recover(b.logger, "poll budget", func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.grantDue(max(0, timerSlack-b.rate.gap(time.Now())))
	})
}

// addSent takes an add that is sent now from the polls' rate.
func (b *budget) addSent() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rate.addSent(time.Now())
}

// recordResult slows the polls down if the upstream's own limit is near or reached.
func (b *budget) recordResult(result audian.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	limited := result.Err != nil && result.Err.Reason == apierror.UpstreamRateLimited
	pause, halved := time.Duration(0), b.rate.halved
	if limited {
		pause = result.Err.RetryAfter
		b.rate.pause(now, pause)
	}
	if limited || result.Remaining != nil && b.isLow(*result.Remaining) {
		b.rate.halve(now)
	}
	if limited || b.rate.halved != halved {
		b.limit(pause)
	}
}

// isLow reports whether this number of request tokens is low for the account. The lock is held.
func (b *budget) isLow(tokens int) bool {
	b.mostTokens = max(b.mostTokens, tokens)
	return tokens*lowTokenShare < b.mostTokens
}

// pollWaitEnded is the error of a poll whose ctx ends while it waits.
func pollWaitEnded(ctx context.Context) error {
	return &apierror.Error{
		Reason: apierror.Cancelled, Message: "the wait for the poll budget ended",
		NotSent: true, Cause: ctx.Err(),
	}
}
