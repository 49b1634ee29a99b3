package upstream

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go"
	retrybudget "github.com/failsafe-go/failsafe-go/budget"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

const (
	// maxRetries is how often a caller's list is read again.
	maxRetries = 2
	// firstBackoff is the wait before the first retry, twice as long before each next.
	firstBackoff  = 200 * time.Millisecond
	longBackoff   = time.Second
	backoffVaries = 0.3
	// shortWait is the longest Retry-After that is waited for rather than passed on.
	shortWait = 2 * time.Second
	// retryShare and leastRetries bound the retries under way: that share of the calls
	// under way, but those few always.
	retryShare   = 0.2
	leastRetries = 3
)

// retry reads lists again where that is safe and likely to help (A6).
type retry struct {
	policy retrypolicy.RetryPolicy[participant.List]
}

func newRetry() retry {
	return retry{retrypolicy.NewBuilder[participant.List]().
		WithDelayFunc(func(exec failsafe.ExecutionAttempt[participant.List]) time.Duration {
			planned, _ := errors.AsType[again](exec.LastError())
			return planned.after
		}).
		WithMaxRetries(maxRetries).
		WithBudget(retrybudget.NewBuilder().WithMaxRate(retryShare).WithMinConcurrency(leastRetries).Build()).
		ReturnLastFailure().
		Build()}
}

// again is the failure of a list that is to be read again after a while.
type again struct{ after time.Duration }

func (again) Error() string { return "to be read again" }

// do reads a list, and again after a failure that is worth it. The last failure tells
// more than that the retries were used up, or that ctx ended between two.
func (r retry) do(ctx context.Context, read func() (participant.List, error)) (participant.List, error) {
	var list participant.List
	var err error
	reads := 0
	_, _ = failsafe.With(r.policy).WithContext(ctx).Get(func() (participant.List, error) {
		list, err = read()
		reads++
		return list, plan(ctx, reads, err)
	})
	return list, err
}

// plan returns again where a list that was read so often and failed is worth another try,
// and the wait for it ends before the deadline; nil where the outcome stands.
func plan(ctx context.Context, reads int, err error) error {
	if !worthwhile(err) {
		return nil
	}
	wait := backoff(reads, err)
	if deadline, has := ctx.Deadline(); has && !time.Now().Add(wait).Before(deadline) {
		return nil
	}
	return again{wait}
}

// backoff is the wait after so many reads. One that the upstream asked for is no shorter
// for the jitter.
func backoff(reads int, err error) time.Duration {
	if asked := apierror.RetryAfterOf(err); asked > 0 {
		return time.Duration(float64(asked) * (1 + backoffVaries*rand.Float64()))
	}
	wait := min(firstBackoff<<(reads-1), longBackoff)
	return time.Duration(float64(wait) * (1 + backoffVaries*(2*rand.Float64()-1)))
}

// worthwhile says whether a list that failed may succeed now: outages, and a 429 that
// will be over soon. A redirect stays one.
func worthwhile(err error) bool {
	status := apierror.UpstreamStatusOf(err)
	redirect := status >= http.StatusMultipleChoices && status < http.StatusBadRequest
	retryable := apierror.IsOutage(err) && !redirect || apierror.ReasonOf(err) == apierror.UpstreamRateLimited
	return retryable && apierror.RetryAfterOf(err) <= shortWait
}
