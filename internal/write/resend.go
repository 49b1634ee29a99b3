package write

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/requestctx"
)

// An add that surely did not reach the upstream, or was answered 429, is sent again
// this often and this long at most (W15).
const (
	resendTimes  = 3
	resendWithin = 10 * time.Second
	// resendDelay doubles each time. It needs no jitter: the account's pacer spaces
	// what is sent again like any other add.
	resendDelay = 500 * time.Millisecond
)

// resending is how often an operation was sent again, and until when it may be.
type resending struct {
	times int
	// limit is when the next request must have left; zero before the first failure.
	limit time.Time
}

// startLimit returns the limit, which counts from the first failure.
func (r *resending) startLimit() time.Time {
	if r.limit.IsZero() {
		r.limit = time.Now().Add(resendWithin)
	}
	return r.limit
}

// wait returns true when it is time to send again. It returns false, at once where
// it can, when the limits, a longer Retry-After or the waiters' latest deadline (zero:
// none) forbid that, or when ctx ends.
func (r *resending) wait(ctx context.Context, err error, latestDeadline time.Time) bool {
	delay := max(resendDelay<<r.times, failure(err, "").RetryAfter)
	r.times++
	leaves := time.Now().Add(delay)
	inTime := leaves.Before(r.limit) && (latestDeadline.IsZero() || leaves.Before(latestDeadline))
	return r.times <= resendTimes && inTime && sleep(ctx, delay)
}

// under is the context of the next try.
func (r *resending) under(ctx context.Context) context.Context {
	if r.times == 0 {
		return ctx
	}
	return requestctx.WithRetry(ctx)
}

// sleep returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
