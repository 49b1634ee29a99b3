package write

import (
	"context"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// maxRetries is how often a remove or a control is sent again.
const maxRetries = 3

// repeatable is one call that is safe to send again: a remove or a control.
type repeatable struct {
	// begin is called just before each request. Its done records the success of the call; it is
	// called for one request at most.
	begin func() (done func())
	// send sends one request.
	send func(ctx context.Context) error
	// isDone reports whether an error shows that an earlier request, whose answer was lost,
	// was carried out.
	isDone func(error) bool

	// lost is the done of the first request that lost its answer; nil if there is none.
	lost func()
	// err is the error of the last request that was sent, or of the first that was not.
	err error
}

// repeat sends a call until it succeeds. It retries failures that may be temporary for as long
// as ctx allows; only ctx bounds a request without an answer (A6). Its errors are
// *apierror.Error.
func (w *Writer) repeat(ctx context.Context, r *repeatable) error {
	err := w.retries.Do(ctx, func() error { return r.sendOnce(ctx) }, isRetryable)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return contextError(ctx, "")
	default:
		return withRetryAfter(r.err, "")
	}
}

func (r *repeatable) sendOnce(ctx context.Context) error {
	if r.err != nil {
		ctx = requestctx.WithRetry(ctx)
	}
	done := r.begin()
	err := r.send(ctx)
	if err == nil || r.lost != nil && r.isDone(err) {
		r.succeeded(done)
		return nil
	}
	r.failed(done, err)
	return err
}

// succeeded records the success as that of the first request that may have been carried out.
func (r *repeatable) succeeded(done func()) {
	if r.lost != nil {
		done = r.lost
	}
	done()
}

func (r *repeatable) failed(done func(), err error) {
	if r.lost == nil && apierror.Classify(err) == apierror.Ambiguous {
		r.lost = done
	}
	if r.err == nil || apierror.ReasonOf(err) != apierror.BreakerOpen {
		r.err = err
	}
}

// isRetryable reports whether a call that failed may succeed when it is sent again.
func isRetryable(err error) bool { return apierror.Classify(err) != apierror.Refused }
