package client

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/audian/participant-gateway/internal/jitter"
)

const (
	firstDelay   = 250 * time.Millisecond
	longestDelay = 10 * time.Second
)

// retrier decides whether and when a stream is opened again.
type retrier struct {
	// renewable is whether the next call may have another credential.
	renewable bool
	// failures is the number of calls in a row that got no message.
	failures int
}

// next returns how long to wait after a call that failed, and false if no other call may
// succeed. progressed is whether the failed call got a message.
func (r *retrier) next(failed *Error, progressed bool) (wait time.Duration, again bool) {
	if progressed {
		r.failures = 0
	}
	expired := failed.Code == codes.Unauthenticated && progressed && r.renewable
	if isFinal(failed.Code) && !expired {
		return 0, false
	}
	wait = max(failed.RetryDelay, min(firstDelay<<min(r.failures, 10), longestDelay))
	r.failures++
	return jitter.Above(wait, 0.25), true
}

// isFinal reports whether a code is about the call itself: its arguments, its caller, its
// conference. Another call ends in the same way.
func isFinal(code codes.Code) bool {
	switch code {
	case codes.InvalidArgument, codes.NotFound, codes.PermissionDenied, codes.Unauthenticated,
		codes.FailedPrecondition, codes.Unimplemented, codes.OutOfRange, codes.AlreadyExists:
		return true
	default:
		return false
	}
}

// sleep waits for d. It returns false if ctx ends first.
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
