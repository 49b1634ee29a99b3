package account

import (
	"log/slog"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/audian/participant-gateway/internal/participant"
)

const (
	// tripAfter is how many calls in a row must fail for the breaker to open.
	tripAfter = 10
	// probeEvery is how long an open breaker waits before it lets a call through; A6
	// allows 5 s.
	probeEvery = 4 * time.Second
)

// breaker stops the callers' calls to a dead upstream (A6). Polls do not pass it: they
// have a budget.
type breaker struct {
	circuit circuitbreaker.CircuitBreaker[any]

	mu sync.Mutex
	// probed is when a call was last let through.
	probed time.Time
}

func newBreaker(logger *slog.Logger) *breaker {
	return &breaker{circuit: circuitbreaker.NewBuilder[any]().
		WithFailureThreshold(tripAfter).
		WithSuccessThreshold(1).
		WithDelay(probeEvery).
		OnStateChanged(func(e circuitbreaker.StateChangedEvent) {
			logger.Warn("upstream breaker changed", slog.String("state", e.NewState.String()))
		}).
		Build()}
}

// closed fails where a call would surely not be let through now.
func (b *breaker) closed() error {
	if wait := b.circuit.RemainingDelay(); wait > 0 {
		return open(wait)
	}
	return nil
}

// enter lets a call through, whose outcome settle is then told, or fails.
func (b *breaker) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.circuit.TryAcquirePermit() && !b.probeAgain() {
		return open(max(b.circuit.RemainingDelay(), probeEvery-time.Since(b.probed)))
	}
	b.probed = time.Now()
	return nil
}

// probeAgain gives up on a probe that has been out for long: an add may take a minute
// to be answered, and a caller may have gone before its call was.
func (b *breaker) probeAgain() bool {
	if !b.circuit.IsHalfOpen() || time.Since(b.probed) < probeEvery {
		return false
	}
	b.circuit.Open()
	b.circuit.HalfOpen()
	return b.circuit.TryAcquirePermit()
}

// settle notes how a call that was let through ended. A caller who went away says
// nothing of the upstream; a refusal says that it is alive.
func (b *breaker) settle(err error) {
	switch {
	case err == nil:
		b.circuit.RecordSuccess()
	case outage(err):
		b.circuit.RecordFailure()
	case !gone(err):
		b.circuit.RecordSuccess()
	}
}

func open(wait time.Duration) error {
	return &participant.Error{
		Reason: participant.BreakerOpen, Message: "the upstream fails, and is left alone for a while",
		RetryAfter: max(wait, time.Millisecond),
	}
}

// outage says whether an error is one of reaching the upstream, or of it not working.
func outage(err error) bool {
	switch participant.ReasonOf(err) {
	case participant.UpstreamUnreachable, participant.UpstreamUnavailable, participant.UpstreamTimeout:
		return true
	default:
		return false
	}
}

// gone says whether an error is that of a caller who no longer waits.
func gone(err error) bool {
	switch participant.ReasonOf(err) {
	case participant.DeadlineExceeded, participant.Cancelled, participant.AddRateLimited:
		return true
	default:
		return false
	}
}
