package upstream

import (
	"log/slog"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

const (
	// So many calls in a row must fail, the first so long before the last, for the
	// breaker to open: a burst that meets one cut connection proves nothing, nor do a
	// few calls whatever befalls them.
	tripAfter = 10
	tripOver  = 2 * time.Second
	// probeEvery is how often an open breaker lets a call through; A6 allows 5 s.
	probeEvery = 4 * time.Second
	// deadSilence is how long an upstream must have been silent for a caller's giving up
	// to say something of it.
	deadSilence = 5 * time.Second
)

// breaker stops the callers' calls to a dead upstream (A6): one that answered none of the
// last calls, nor anything else meanwhile. What it answers, errors included, shows that it
// lives; only a proxy may have answered in its place.
//
// Polls do not pass the breaker, since they have a budget, and their failures do not count
// (W15); that they are answered again closes it.
type breaker struct {
	logger *slog.Logger

	mu sync.Mutex
	// failed is how many calls have failed since the upstream last answered, since is
	// when the first of them did.
	failed int
	since  time.Time
	open   bool
	// probed is when the breaker opened, or last let a call through while open.
	probed time.Time
}

func newBreaker(logger *slog.Logger) *breaker { return &breaker{logger: logger} }

// closed fails where a call would not be let through now.
func (b *breaker) closed() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refusal(time.Now())
}

// enter lets a call through, whose outcome settle is then told, or fails.
func (b *breaker) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if err := b.refusal(now); err != nil {
		return err
	}
	b.probed = now
	return nil
}

func (b *breaker) refusal(now time.Time) error {
	wait := b.probed.Add(probeEvery).Sub(now)
	if !b.open || wait <= 0 {
		return nil
	}
	return &apierror.Error{
		Reason: apierror.BreakerOpen, Message: "the upstream does not answer, and is left alone for a while",
		Dialled: apierror.DialledNo, RetryAfter: wait,
	}
}

// answered notes a request of any kind.
func (b *breaker) answered(trip audian.Trip) {
	if trip.Status == 0 || trip.Err != nil && apierror.IsUpstreamDown(trip.Err) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = 0
	b.set(false)
}

// settle notes how a call that was let through ended, and after how long.
func (b *breaker) settle(err error, took time.Duration) {
	if !apierror.IsUpstreamDown(err) && (!gone(err) || took < deadSilence) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.failed == 0 {
		b.since = now
	}
	b.failed++
	if !b.open && b.failed >= tripAfter && now.Sub(b.since) >= tripOver {
		b.probed = now
		b.set(true)
	}
}

func (b *breaker) set(open bool) {
	if b.open != open {
		b.open = open
		b.logger.Warn("upstream breaker changed", slog.Bool("open", open))
	}
}

// gone says whether an error is that of a caller who no longer waits.
func gone(err error) bool {
	reason := apierror.ReasonOf(err)
	return reason == apierror.DeadlineExceeded || reason == apierror.Cancelled
}
