package upstream

import (
	"log/slog"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

const (
	// The breaker opens after tripAfter failed calls in a row, if the first failed at least
	// tripOver before the last: a burst of calls that meets one broken connection proves
	// nothing.
	tripAfter = 10
	tripOver  = 2 * time.Second
	// probeEvery is how often an open breaker allows a call; A6 allows 5 s.
	probeEvery = 4 * time.Second
	// minSilence is how long a call must have waited before its deadline or cancellation
	// counts as a failure of the upstream.
	minSilence = 5 * time.Second
)

// breaker is the circuit breaker of the callers' calls (A6). It opens when the upstream
// itself responded to none of the last calls and to no other request meanwhile. An error
// response of the upstream shows that it runs; one of a proxy does not.
//
// Polls do not pass the breaker, because they have a budget, and their failures do not count
// (W15). A response to a poll closes it.
type breaker struct {
	logger *slog.Logger

	mu sync.Mutex
	// failed is the number of failed calls since the last response, since the time of the
	// first of them.
	failed int
	since  time.Time
	open   bool
	// probed is when the breaker opened, or last allowed a call while open.
	probed time.Time
}

func newBreaker(logger *slog.Logger) *breaker { return &breaker{logger: logger} }

// check returns the error that allow would return now.
func (b *breaker) check() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.openError(time.Now())
}

// allow returns nil if a call may be sent. Its outcome is reported with recordOutcome.
func (b *breaker) allow() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if err := b.openError(now); err != nil {
		return err
	}
	b.probed = now
	return nil
}

func (b *breaker) openError(now time.Time) error {
	wait := b.probed.Add(probeEvery).Sub(now)
	if !b.open || wait <= 0 {
		return nil
	}
	return &apierror.Error{
		Reason: apierror.BreakerOpen, Message: "circuit breaker open: the upstream does not answer",
		Dialled: apierror.DialledNo, RetryAfter: wait,
	}
}

// recordResult records the result of a request of any kind.
func (b *breaker) recordResult(result audian.Result) {
	if result.Status == 0 || result.Err != nil && apierror.IsUnanswered(result.Err) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = 0
	b.set(false)
}

// recordOutcome records how a call ended that was allowed, and how long it took.
func (b *breaker) recordOutcome(err error, took time.Duration) {
	if !apierror.IsUnanswered(err) && (!isContextEnd(err) || took < minSilence) {
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
		b.logger.Warn("circuit breaker changed", slog.Bool("open", open))
	}
}

// isContextEnd reports whether a call failed because its caller no longer waits.
func isContextEnd(err error) bool {
	reason := apierror.ReasonOf(err)
	return reason == apierror.DeadlineExceeded || reason == apierror.Cancelled
}
