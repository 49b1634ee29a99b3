// Package retry repeats calls that are safe to repeat (A6).
package retry

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/jitter"
)

const (
	// firstDelay is the delay before the first retry. It doubles for each further retry.
	firstDelay = 200 * time.Millisecond
	// spread is the share by which a delay varies.
	spread = 0.25
	// MaxRetryAfter is the longest Retry-After that Do waits for. The caller gets a longer
	// one as an error.
	MaxRetryAfter = 2 * time.Second

	// freeRetries may run at the same time in any case. Further ones may run if the running
	// retries are at most 1/retryShare of all that runs.
	freeRetries = 3
	retryShare  = 5
)

// Policy bounds the retries of all calls that use it: their number for each call, and their
// share of the calls that run at the same time. It is safe for concurrent use.
type Policy struct {
	maxRetries int
	// calls are those that Do runs, waiting ones too, and retries the retries that run.
	calls, retries atomic.Int32
}

// New returns a policy that repeats each call at most maxRetries times.
func New(maxRetries int) *Policy { return &Policy{maxRetries: maxRetries} }

// Do runs call until it succeeds, until it fails with an error that is not retryable, or until
// the policy, the error's Retry-After or the deadline of ctx allows no retry. It returns the
// error of the last run.
func (p *Policy) Do(ctx context.Context, call func() error, isRetryable func(error) bool) error {
	p.calls.Add(1)
	defer p.calls.Add(-1)
	err := call()
	for failures := 0; failures < p.maxRetries && err != nil && isRetryable(err); failures++ {
		if !wait(ctx, failures, apierror.RetryAfterOf(err)) || !p.begin() {
			break
		}
		err = p.run(call)
	}
	return err
}

// begin counts a retry, unless too many run.
func (p *Policy) begin() bool {
	retries := p.retries.Load()
	if retries >= freeRetries && retries*retryShare > p.calls.Load()+retries {
		return false
	}
	p.retries.Add(1)
	return true
}

// run runs a retry that begin has counted.
func (p *Policy) run(call func() error) error {
	defer p.retries.Add(-1)
	return call()
}

// wait waits before a retry. It returns false if there must be none: the upstream asks for a long
// wait, or ctx ends before.
func wait(ctx context.Context, failures int, retryAfter time.Duration) bool {
	delay := delayAfter(failures, retryAfter)
	if retryAfter > MaxRetryAfter || !endsInTime(ctx, delay) {
		return false
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// endsInTime reports whether a delay that starts now ends before the deadline of ctx.
func endsInTime(ctx context.Context, delay time.Duration) bool {
	deadline, bounded := ctx.Deadline()
	return !bounded || time.Now().Add(delay).Before(deadline)
}

// delayAfter returns the delay after a run that failed, with so many failures before it. It
// is never shorter than the Retry-After of the upstream.
func delayAfter(failures int, retryAfter time.Duration) time.Duration {
	if retryAfter > 0 {
		return jitter.Above(retryAfter, spread)
	}
	return jitter.Around(firstDelay<<failures, spread)
}
