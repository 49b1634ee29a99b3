package write

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// retryAfter is what an error invites to that may pass by itself, where the upstream
// named no time.
const retryAfter = time.Second

// failure is err as callers learn it. A remove leaves dialled empty: then it is as err
// has it.
func failure(err error, dialled participant.Dialled) *participant.Error {
	known, ok := errors.AsType[*participant.Error](err)
	if !ok {
		return unnamed(err, dialled)
	}
	e := *known
	e.Dialled = cmp.Or(dialled, e.Dialled)
	return &e
}

// final is failure for an error that is not tried again here: where that may help,
// it says when.
func final(err error, dialled participant.Dialled) *participant.Error {
	e := failure(err, dialled)
	switch participant.Classify(err) {
	case participant.Unreached, participant.Throttled:
		e.RetryAfter = cmp.Or(e.RetryAfter, retryAfter)
	case participant.Lost, participant.Refused:
	}
	return e
}

func unnamed(err error, dialled participant.Dialled) *participant.Error {
	e := &participant.Error{
		Reason:  participant.Internal,
		Message: "the gateway failed",
		Dialled: dialled,
		Cause:   err,
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.Reason, e.Message = participant.DeadlineExceeded, "the deadline ended before the outcome was known"
	case errors.Is(err, context.Canceled):
		e.Reason, e.Message = participant.Cancelled, "the call was cancelled before the outcome was known"
	}
	return e
}

// ended is the failure of a call whose ctx has ended.
func ended(ctx context.Context, dialled participant.Dialled) *participant.Error {
	return unnamed(ctx.Err(), dialled)
}

// reused is the failure of an add whose request id means another one. It is an outcome of
// its own, no replayed one (A2).
func reused() *participant.Error {
	return &participant.Error{
		Reason:  participant.RequestIDReused,
		Message: "the request id was used before, with other arguments",
		Dialled: participant.DialledNo,
	}
}

func undecodable() *participant.Error {
	return &participant.Error{
		Reason:  participant.UpstreamUndecodable,
		Message: "the upstream's answer names no participant",
	}
}

// outcomeUnknown is the failure of an add whose phone may ring. The cause may be
// nil; what the upstream said of itself is kept.
func outcomeUnknown(cause error) *participant.Error {
	e := &participant.Error{
		Reason:  participant.AddOutcomeUnknown,
		Message: "the upstream did not answer, and the conference's list does not prove the outcome: the phone may ring",
		Dialled: participant.DialledUnknown,
		Cause:   cause,
	}
	if told, ok := errors.AsType[*participant.Error](cause); ok {
		e.UpstreamStatus, e.UpstreamRequestID = told.UpstreamStatus, told.UpstreamRequestID
	}
	return e
}
