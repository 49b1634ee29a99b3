// Package retry repeats calls that are safe to repeat (A6).
package retry

import (
	"context"
	"errors"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/budget"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

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
)

// Policy bounds the retries of all calls that use it: their number for each call, and their
// share of the calls that run at the same time. It is safe for concurrent use.
type Policy struct{ executor failsafe.Executor[any] }

// New returns a policy that repeats each call at most maxRetries times.
func New(maxRetries int) *Policy {
	return &Policy{failsafe.With(retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, failed error) bool { return failed != nil }).
		WithMaxRetries(maxRetries).
		WithDelayFunc(delayOf).
		WithBudget(budget.New()).
		ReturnLastFailure().
		Build())}
}

// repeat is the error of a run that is repeated after a delay.
type repeat struct {
	error

	delay time.Duration
}

// delayOf returns the delay after a run that is repeated.
func delayOf(run failsafe.ExecutionAttempt[any]) time.Duration {
	failed, _ := errors.AsType[repeat](run.LastError())
	return failed.delay
}

// Do runs call until it succeeds, until it fails with an error that is not retryable, or until
// the policy, the error's Retry-After or the deadline of ctx allows no retry. It returns the
// error of the last run.
func (p *Policy) Do(ctx context.Context, call func() error, isRetryable func(error) bool) error {
	var err error
	failures := 0
	// Do returns the error of the last run; the executor's may be that of ctx.
	_ = p.executor.WithContext(ctx).Run(func() error {
		if err = call(); err == nil || !isRetryable(err) || apierror.RetryAfterOf(err) > MaxRetryAfter {
			return nil
		}
		delay := delayAfter(failures, apierror.RetryAfterOf(err))
		failures++
		if !endsInTime(ctx, delay) {
			return nil
		}
		return repeat{err, delay}
	})
	return err
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
