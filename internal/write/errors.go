package write

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// retryAfter is what an error invites to that may pass by itself, where the upstream
// named no time.
const retryAfter = time.Second

// failure is err as callers learn it. A remove leaves dialled empty: then it is as err
// has it.
func failure(err error, dialled apierror.Dialled) *apierror.Error {
	known, ok := errors.AsType[*apierror.Error](err)
	if !ok {
		return unnamed(err, dialled)
	}
	e := *known
	e.Dialled = cmp.Or(dialled, e.Dialled)
	return &e
}

// final is failure for an error that is not tried again here: where that may help,
// it says when.
func final(err error, dialled apierror.Dialled) *apierror.Error {
	e := failure(err, dialled)
	switch apierror.Classify(err) {
	case apierror.NotSent, apierror.Throttled:
		e.RetryAfter = cmp.Or(e.RetryAfter, retryAfter)
	case apierror.Ambiguous, apierror.Refused:
	}
	return e
}

func unnamed(err error, dialled apierror.Dialled) *apierror.Error {
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

// ended is the failure of a call whose ctx has ended.
func ended(ctx context.Context, dialled apierror.Dialled) *apierror.Error {
	return unnamed(ctx.Err(), dialled)
}

// reused is the failure of an add whose request id means another one. It is an outcome of
// its own, no replayed one (A2).
func reused() *apierror.Error {
	return &apierror.Error{
		Reason:  apierror.RequestIDReused,
		Message: "the request id was used before, with other arguments",
		Dialled: apierror.DialledNo,
	}
}

func undecodable() *apierror.Error {
	return &apierror.Error{
		Reason:  apierror.UpstreamUndecodable,
		Message: "the upstream's answer names no participant",
	}
}

// outcomeUnknown is the failure of an add whose phone may ring. The cause may be
// nil; what the upstream said of itself is kept.
func outcomeUnknown(cause error) *apierror.Error {
	e := &apierror.Error{
		Reason:  apierror.AddOutcomeUnknown,
		Message: "the upstream did not answer, and the conference's list does not prove the outcome: the phone may ring",
		Dialled: apierror.DialledUnknown,
		Cause:   cause,
	}
	if told, ok := errors.AsType[*apierror.Error](cause); ok {
		e.UpstreamStatus, e.UpstreamRequestID = told.UpstreamStatus, told.UpstreamRequestID
	}
	return e
}
