package retry

import (
	"context"
	"errors"
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
