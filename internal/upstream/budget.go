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

// DefaultPollRate is the poll requests a second of an account, where none is set.
const DefaultPollRate = 10

// fewTokens is the share of the largest number of request tokens seen below which those
// that remain are few.
const fewTokens = 5

// timerSlack is how much a timer may be late. Requests that are spaced more closely make
// up for it, so that a high rate is reached.
const timerSlack = 10 * time.Millisecond

// budget shares an account's poll requests out, evenly spaced and never faster than the
// rate (W15).
//
// Its lock is a leaf: nothing else is locked under it but a signal.
type budget struct {
	logger *slog.Logger

	mu   sync.Mutex
	rate *rate
	// last is when a request was last granted, polled when a source's poll last began or
	// ended.
	last, polled time.Time
	queue        queue
	timer        *time.Timer
	sources      []*Source
	fair         fairInterval
	failing      failing
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
	b.fair.forget()
}

// close removes a source. With the last one goes what is known of failing polls: nothing
// is asked any more.
func (b *budget) close(s *Source) {
	b.mu.Lock()
	defer b.mu.Unlock()
	last := len(b.sources) - 1
	b.sources[s.index] = b.sources[last]
	b.sources[s.index].index = s.index
	b.sources[last] = nil
	b.sources = b.sources[:last]
	b.fair.forget()
	if s.polledOnce && !s.hadList {
		// Its one attempt went ahead of the others. Where such sources come and go all the
		// time, the others are slowed by what the sources at hand do not show.
		b.rate.ahead.note(time.Now())
	}
	if len(b.sources) == 0 {
		b.failing.clear()
	}
}

// pace is how often the source's lists may come, and how the account's polls fare.
func (b *budget) pace(s *Source, want, takes time.Duration) Pace {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := s.least()
	s.want, s.takes = want, takes
	if s.least() != before {
		b.fair.forget()
	}
	share := max(want, b.fair.at(time.Now(), b))
	pace := Pace{
		Share:    share,
		Interval: max(share, takes) + s.waits.Truncate(leastWait),
		Changed:  b.failing.changed.next(),
	}
	if s.failed && !b.failing.since.IsZero() {
		pace.FailingSince, pace.FailingReason = b.failing.since, b.failing.reason
	}
	return pace
}

// take waits until one request may be sent.
func (b *budget) take(ctx context.Context, c class) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	w := b.enqueue(c)
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
		b.leave(w)
		return ended(ctx)
	}
}

func (b *budget) enqueue(c class) *request {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.queue.enter(c)
	b.dispatch(0)
	return r
}

func (b *budget) leave(r *request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue.leave(r)
}

// dispatch grants the requests that may be sent now, and sets the timer for the next. A
// late timer makes up for so much of its delay. The lock is held.
func (b *budget) dispatch(late time.Duration) {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	now := time.Now()
	for b.queue.waiting > 0 {
		next, again := b.rate.after(b.last, now)
		r := b.queue.front(now.Before(b.rate.paused))
		if r == nil {
			again = b.rate.paused
		}
		if r == nil || next.After(now) {
			b.timer = time.AfterFunc(again.Sub(now), b.redispatch)
			return
		}
		b.last = latest(next, now.Add(-late))
		b.grant(r, now)
	}
}

// grant lets one request go.
func (b *budget) grant(r *request, now time.Time) {
	if r.class.ofAdd() {
		b.rate.ahead.note(now)
	} else {
		b.polled = now
	}
	b.queue.grant(r)
}

func (b *budget) redispatch() {
	_ = panics.Recover(b.logger, "poll budget", func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.dispatch(max(0, timerSlack-b.rate.gap(time.Now())))
	})
}

// added notes an add that leaves now: polls make room for it.
func (b *budget) added() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rate.added(time.Now())
}

// answered notes what a request's answer says about the upstream's own budget.
func (b *budget) answered(trip audian.Trip) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	limited := trip.Err != nil && trip.Err.Reason == apierror.UpstreamRateLimited
	if limited {
		b.rate.pause(now, trip.Err.RetryAfter)
	}
	if limited || trip.Remaining != nil && b.few(*trip.Remaining) {
		b.rate.halve(now)
	}
}

// few reports whether so many request tokens are few for this account. The lock is held.
func (b *budget) few(tokens int) bool {
	b.mostTokens = max(b.mostTokens, tokens)
	return tokens*fewTokens < b.mostTokens
}

// ended is the error of a poll whose context ended while it waited.
func ended(ctx context.Context) error {
	return &apierror.Error{
		Reason: apierror.Cancelled, Message: "the wait for the poll budget ended",
		NotSent: true, Cause: ctx.Err(),
	}
}
