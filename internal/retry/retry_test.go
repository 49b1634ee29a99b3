package retry

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

func TestA06_RetriesAreBounded(t *testing.T) {
	failed := &apierror.Error{Reason: apierror.UpstreamUnavailable}
	tests := map[string]struct {
		failures  int
		err       error
		retryable bool
		timeout   time.Duration
		calls     int
		succeeds  bool
	}{
		"success at once":        {failures: 0, err: failed, retryable: true, calls: 1, succeeds: true},
		"success after failures": {failures: 2, err: failed, retryable: true, calls: 3, succeeds: true},
		"failures only":          {failures: 9, err: failed, retryable: true, calls: 3},
		"not retryable":          {failures: 9, err: failed, retryable: false, calls: 1},
		"other error":            {failures: 1, err: errors.New("failed"), retryable: true, calls: 2, succeeds: true},
		"short Retry-After":      {failures: 1, err: after(MaxRetryAfter), retryable: true, calls: 2, succeeds: true},
		"long Retry-After":       {failures: 1, err: after(MaxRetryAfter + 1), retryable: true, calls: 1},
		"deadline before retry":  {failures: 1, err: failed, retryable: true, timeout: time.Millisecond, calls: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if test.timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.timeout)
					defer cancel()
				}
				calls := 0
				err := New(2).Do(ctx, func() error {
					calls++
					if calls <= test.failures {
						return test.err
					}
					return nil
				}, func(error) bool { return test.retryable })
				if calls != test.calls || (err == nil) != test.succeeds || err != nil && !errors.Is(err, test.err) {
					t.Errorf("%d calls, error %v", calls, err)
				}
			})
		})
	}
}

// TestA06_RetriesShareABudget checks that a failing upstream gets few retries at the same time: three, or
// a fifth of all that runs.
func TestA06_RetriesShareABudget(t *testing.T) {
	for name, test := range map[string]struct{ failing, succeeding, retried int }{
		"few calls":  {failing: 5, succeeding: 0, retried: 3},
		"many calls": {failing: 5, succeeding: 15, retried: 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				policy, release := New(1), make(chan struct{})
				var retried, failed atomic.Int32
				var calls sync.WaitGroup
				for range test.succeeding {
					calls.Go(func() {
						_ = policy.Do(t.Context(), func() error {
							<-release
							return nil
						}, always)
					})
				}
				for range test.failing {
					calls.Go(func() {
						runs := 0
						err := policy.Do(t.Context(), func() error {
							runs++
							if runs == 1 {
								return errors.New("failed")
							}
							retried.Add(1)
							<-release
							return nil
						}, always)
						if err != nil {
							failed.Add(1)
						}
					})
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if int(retried.Load()) != test.retried || int(failed.Load()) != test.failing-test.retried {
					t.Errorf("%d retries, %d calls without", retried.Load(), failed.Load())
				}
				close(release)
				calls.Wait()
			})
		})
	}
}

func TestA06_NoRetryAfterTheCallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		calls := 0
		start := time.Now()
		err := New(2).Do(ctx, func() error {
			calls++
			return errors.New("failed")
		}, always)
		if err == nil || calls != 1 || time.Since(start) != time.Millisecond {
			t.Errorf("%d calls within %v, error %v", calls, time.Since(start), err)
		}
	})
}

func always(error) bool { return true }

func after(wait time.Duration) error {
	return &apierror.Error{Reason: apierror.UpstreamRateLimited, RetryAfter: wait}
}

func TestA06_DelaysGrowAndVary(t *testing.T) {
	for failures, base := range []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond} {
		for range 100 {
			if got := delayAfter(failures, 0); got < base*3/4 || got > base*5/4 {
				t.Errorf("after %d failures: %v", failures, got)
			}
			if got := delayAfter(failures, base); got < base || got > base*5/4 {
				t.Errorf("Retry-After %v: %v", base, got)
			}
		}
	}
}
