package account

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/audian"
	"github.com/audian/participant-gateway/internal/participant"
)

// DefaultPollRate is the poll requests a second of an account, where none is set.
const DefaultPollRate = 10

// lowTokens is how many of the upstream's request tokens are few: a fifth of the bucket
// that its platform comes with.
const lowTokens = 20

// class is whose turn goes before whose. A list under way goes before one to begin, so
// that feeds take turns by whole lists; first lists and A1's reads go before the others.
type class uint8

const (
	classUrgentPage class = iota
	classUrgentList
	classPage
	classList

	classes
)

// budget shares an account's poll requests out, evenly spaced and never faster than the
// rate (W15).
//
// Its lock is a leaf: nothing else is locked under it but a signal.
type budget struct {
	mu   sync.Mutex
	rate *rate
	// last is when a request was last let go.
	last time.Time
	// queues are those who wait, by class, who came first first. A closed channel is a
	// request let go.
	queues  [classes][]chan struct{}
	timer   *time.Timer
	sources []*Source
	failing failing
}

func newBudget(perSecond float64) *budget {
	if perSecond <= 0 {
		perSecond = DefaultPollRate
	}
	return &budget{rate: newRate(perSecond)}
}

// open takes in a source.
func (b *budget) open(s *Source) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sources = append(b.sources, s)
}

// close lets go of a source. With the last one goes what is known of failing polls:
// nothing is asked any more.
func (b *budget) close(s *Source) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sources = slices.DeleteFunc(b.sources, func(other *Source) bool { return other == s })
	if len(b.sources) == 0 {
		b.failing.clear()
	}
}

// pace tells how often the source's lists may come, and how the account's polls fare.
func (b *budget) pace(s *Source, want time.Duration) participant.Pace {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.want = want
	return participant.Pace{
		Interval:      max(want, b.fair(b.rate.lasting(time.Now()))),
		FailingSince:  b.failing.since,
		FailingReason: b.failing.reason,
		Changed:       b.failing.changed.next(),
	}
}

// take waits until one request may be sent.
func (b *budget) take(ctx context.Context, c class) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	gone := b.enqueue(c)
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		b.leave(c, gone)
		return ended(ctx)
	}
}

func (b *budget) enqueue(c class) chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	gone := make(chan struct{})
	b.queues[c] = append(b.queues[c], gone)
	b.dispatch()
	return gone
}

func (b *budget) leave(c class, gone chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queues[c] = slices.DeleteFunc(b.queues[c], func(other chan struct{}) bool { return other == gone })
}

// dispatch lets go who may go now, and comes back for the next. The lock is held.
func (b *budget) dispatch() {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	now := time.Now()
	for c := b.front(); c < classes; c = b.front() {
		next, again := b.rate.after(b.last, now)
		if next.After(now) {
			b.timer = time.AfterFunc(again.Sub(now), b.redispatch)
			return
		}
		b.last = now
		close(b.queues[c][0])
		b.queues[c] = b.queues[c][1:]
	}
}

func (b *budget) redispatch() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dispatch()
}

// front is the class whose turn it is, classes where nobody waits.
func (b *budget) front() class {
	for c := range classes {
		if len(b.queues[c]) > 0 {
			return c
		}
	}
	return classes
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
	limited := trip.Err != nil && trip.Err.Reason == participant.UpstreamRateLimited
	if limited {
		b.rate.pause(now, trip.Err.RetryAfter)
	}
	if limited || trip.Remaining != nil && *trip.Remaining < lowTokens {
		b.rate.halve(now)
	}
}

// ended is the error of a poll whose context ended while it waited.
func ended(ctx context.Context) error {
	return &participant.Error{
		Reason: participant.Cancelled, Message: "the wait for the poll budget ended",
		Unreached: true, Cause: ctx.Err(),
	}
}
