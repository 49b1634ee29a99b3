// Package apierror defines the errors that callers receive: their stable reasons, the error
// type, and the one classification of what an error means for the upstream request that failed.
package apierror

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Dialled reports whether a failed Add may have made a phone ring.
type Dialled string

// Values of Dialled. It is empty for errors of other calls.
const (
	DialledNo      Dialled = "no"
	DialledUnknown Dialled = "unknown"
)

// Error is an error whose fields are safe to show to a caller, except Cause, which is for
// the log.
type Error struct {
	Reason  Reason
	Message string
	// Violations name the invalid fields of an InvalidRequest.
	Violations []Violation
	// Dialled is set on every error of an Add, and on BreakerOpen: nothing was sent.
	Dialled Dialled
	// RetryAfter is the delay after which the caller may retry, zero for none.
	RetryAfter time.Duration
	// UpstreamStatus and UpstreamRequestID come from the upstream's response, if any.
	UpstreamStatus    int
	UpstreamRequestID string
	// FromUpstream means that the response had one of the upstream's documented error
	// bodies: the upstream itself answered, not a proxy before it.
	FromUpstream bool
	// NotSent means that the request certainly did not reach the upstream.
	NotSent bool

	Cause error
}

// MaxViolations is the most invalid fields that one error names.
const MaxViolations = 20

// Violation is one invalid field.
type Violation struct {
	// Field is the field's name in the proto.
	Field string
	// Rule is the short id of the rule that the field breaks.
	Rule    string
	Message string
}

// Error returns the text for the log, with the cause.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s", e.Reason, e.Message)
	if e.UpstreamStatus != 0 {
		text += fmt.Sprintf(" (upstream status %d)", e.UpstreamStatus)
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// From returns the first Error in err's chain. It converts an ended context; any other error
// becomes Internal, without its text.
func From(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Reason: DeadlineExceeded, Message: "the call's deadline has passed"}
	case errors.Is(err, context.Canceled):
		return &Error{Reason: Cancelled, Message: "the caller cancelled the call"}
	default:
		return &Error{Reason: Internal, Message: "internal error"}
	}
}

// ReasonOf returns the reason of the first Error in err's chain, or Internal.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return Internal
}
