package write

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// defaultRetryAfter is the RetryAfter of a temporary error for which the upstream named no
// time.
const defaultRetryAfter = time.Second

// asError returns err as callers get it. If dialled is empty, as for a remove, err's own is
// kept.
func asError(err error, dialled apierror.Dialled) *apierror.Error {
	known, ok := errors.AsType[*apierror.Error](err)
	if !ok {
		return unknownError(err, dialled)
	}
	e := *known
	e.Dialled = cmp.Or(dialled, e.Dialled)
	return &e
}

// withRetryAfter returns err as callers get it, with the time after which they may try again
// if that may help.
func withRetryAfter(err error, dialled apierror.Dialled) *apierror.Error {
	e := asError(err, dialled)
	switch apierror.Classify(err) {
	case apierror.NotSent, apierror.Throttled:
		e.RetryAfter = cmp.Or(e.RetryAfter, defaultRetryAfter)
	case apierror.Ambiguous, apierror.Refused:
	}
	return e
}

// unsentError returns the error of an add that was not sent, or certainly not carried out.
func unsentError(err error) *apierror.Error {
	if apierror.ReasonOf(err) == apierror.SharedStateUnavailable {
		return asError(err, "")
	}
	return withRetryAfter(err, apierror.DialledNo)
}

// unknownError is the error for a cause that is no *apierror.Error.
func unknownError(err error, dialled apierror.Dialled) *apierror.Error {
	e := &apierror.Error{
		Reason:  apierror.Internal,
		Message: "the gateway failed",
		Dialled: dialled,
		Cause:   err,
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.Reason, e.Message = apierror.DeadlineExceeded, "the deadline ended before the outcome was known"
	case errors.Is(err, context.Canceled):
		e.Reason, e.Message = apierror.Cancelled, "the call was cancelled before the outcome was known"
	}
	return e
}

// contextError is the error of a call whose ctx has ended.
func contextError(ctx context.Context, dialled apierror.Dialled) *apierror.Error {
	return unknownError(ctx.Err(), dialled)
}

// requestIDReused is the error of an add whose request id was used for a different add. It is
// not a replay (A2).
func requestIDReused() *apierror.Error {
	return &apierror.Error{
		Reason:  apierror.RequestIDReused,
		Message: "the request_id was used before, with other arguments",
		Dialled: apierror.DialledNo,
	}
}

// outcomeUnknown is the error of an add whose phone may ring. It keeps the upstream's status
// and request id of the cause, which may be nil.
func outcomeUnknown(cause error) *apierror.Error {
	e := &apierror.Error{
		Reason:  apierror.AddOutcomeUnknown,
		Message: "the upstream did not answer, and the conference's list does not prove the outcome: the phone may ring",
		Dialled: apierror.DialledUnknown,
		Cause:   cause,
	}
	if lost, ok := errors.AsType[*apierror.Error](cause); ok {
		e.UpstreamStatus, e.UpstreamRequestID = lost.UpstreamStatus, lost.UpstreamRequestID
	}
	return e
}
