package account

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go"
	retrybudget "github.com/failsafe-go/failsafe-go/budget"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

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
		HandleIf(func(_ participant.List, err error) bool { return worthwhile(err) }).
		WithBackoff(firstBackoff, longBackoff).
		WithJitterFactor(backoffVaries).
		WithDelayFunc(asked).
		WithMaxRetries(maxRetries).
		WithBudget(retrybudget.NewBuilder().WithMaxRate(retryShare).WithMinConcurrency(leastRetries).Build()).
		ReturnLastFailure().
		Build()}
}

// do reads a list, and again after a failure that is worth it. The last failure tells
// more than that the retries were used up, or that ctx ended between two.
func (r retry) do(ctx context.Context, read func() (participant.List, error)) (participant.List, error) {
	var list participant.List
	var err error
	_, _ = failsafe.With(r.policy).WithContext(ctx).Get(func() (participant.List, error) {
		list, err = read()
		return list, err
	})
	return list, err
}

// worthwhile says whether a list that failed may succeed now: outages, and a 429 that
// will be over soon. A redirect stays one.
func worthwhile(err error) bool {
	var e *participant.Error
	if !errors.As(err, &e) {
		return false
	}
	if e.Reason == participant.UpstreamRateLimited {
		return e.RetryAfter <= shortWait
	}
	redirect := e.UpstreamStatus >= http.StatusMultipleChoices && e.UpstreamStatus < http.StatusBadRequest
	return outage(err) && !redirect && e.RetryAfter <= shortWait
}

// asked is the wait that the upstream asked for, -1 where it did not. It is no shorter
// after the jitter.
func asked(exec failsafe.ExecutionAttempt[participant.List]) time.Duration {
	var e *participant.Error
	if errors.As(exec.LastError(), &e) && e.RetryAfter > 0 {
		return time.Duration(float64(e.RetryAfter) / (1 - backoffVaries))
	}
	return -1
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
