package apierror

import (
	"errors"
	"net/http"
	"time"
)

// Class is what an error proves about the upstream request that failed (A1).
type Class uint8

// The classes of an error.
const (
	// Ambiguous requests may have been carried out: only a later list can show it.
	Ambiguous Class = iota
	// NotSent requests did not reach the upstream, so that they may be sent again.
	NotSent
	// Throttled requests were answered 429: nothing was done, and they may be sent again
	// later.
	Throttled
	// Refused requests were not carried out, and would be refused again.
	Refused
)

// Classify returns the class of an error. Only 401, 407 and 429 mean the same from a proxy as
// from the upstream; any other response that is not the upstream's own is Ambiguous.
func Classify(err error) Class {
	e, known := errors.AsType[*Error](err)
	switch {
	case !known:
		return Ambiguous
	case e.Reason == CredentialRefused:
		// The token was already renewed once (A5). If the API key was refused, nothing was sent.
		return Refused
	case e.NotSent:
		return NotSent
	case e.Reason == BreakerOpen, e.Reason == AddRateLimited:
		return Refused
	case e.UpstreamStatus == http.StatusTooManyRequests:
		return Throttled
	case isRefusal(e.UpstreamStatus, e.FromUpstream):
		return Refused
	default:
		return Ambiguous
	}
}

// isRefusal reports whether a status proves that the upstream did not carry a request out.
func isRefusal(status int, fromUpstream bool) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired:
		return true
	case http.StatusRequestTimeout:
		return false
	default:
		return fromUpstream && status >= 400 && status < 500
	}
}

// IsAccessRefusal reports whether the upstream itself, and no proxy before it, refuses the
// conference or the caller. The upstream works then; every other error is an outage (W11).
func IsAccessRefusal(err error) bool {
	e, known := errors.AsType[*Error](err)
	if !known || !e.FromUpstream {
		return false
	}
	switch e.UpstreamStatus {
	case http.StatusNotFound, http.StatusForbidden:
		return true
	case http.StatusUnauthorized:
		// A 401 for the gateway's credential says nothing about the caller.
		return e.Reason == UpstreamUnauthenticated
	default:
		return false
	}
}

// IsUnavailable reports whether the upstream could not be reached or did not work.
func IsUnavailable(err error) bool {
	switch ReasonOf(err) {
	case UpstreamUnreachable, UpstreamUnavailable, UpstreamTimeout:
		return true
	default:
		return false
	}
}

// IsUnanswered reports whether the upstream itself did not answer: there was no response,
// or a proxy's 5xx. An error response of the upstream itself shows that it runs.
func IsUnanswered(err error) bool {
	e, known := errors.AsType[*Error](err)
	if !known {
		return false
	}
	if e.UpstreamStatus == 0 {
		return IsUnavailable(e)
	}
	return e.UpstreamStatus >= http.StatusInternalServerError && !e.FromUpstream
}

// IsNotFound reports whether the upstream itself answered 404.
func IsNotFound(err error) bool {
	e, known := errors.AsType[*Error](err)
	return known && e.FromUpstream && e.UpstreamStatus == http.StatusNotFound
}

// IsConflict reports whether the upstream itself answered 409.
func IsConflict(err error) bool {
	e, known := errors.AsType[*Error](err)
	return known && e.FromUpstream && e.UpstreamStatus == http.StatusConflict
}

// UpstreamStatusOf returns the HTTP status that the upstream, or a proxy before it, answered
// with, or 0.
func UpstreamStatusOf(err error) int {
	if e, known := errors.AsType[*Error](err); known {
		return e.UpstreamStatus
	}
	return 0
}

// RetryAfterOf returns the delay that the error asks for, or zero.
func RetryAfterOf(err error) time.Duration {
	if e, known := errors.AsType[*Error](err); known {
		return e.RetryAfter
	}
	return 0
}
