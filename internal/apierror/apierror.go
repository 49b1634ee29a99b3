// Package apierror is the errors that callers see: their stable reasons, the error type,
// and what an error proves about the upstream request that failed.
package apierror

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Reason is the stable, documented word for what went wrong: the reason of the
// ErrorInfo that callers get, and the stale_reason that watchers get. Each has one
// gRPC code (package wire) and a row in docs/errors.md.
type Reason string

// Reasons about the caller's request.
const (
	InvalidRequest     Reason = "INVALID_REQUEST"
	InvalidResumeToken Reason = "INVALID_RESUME_TOKEN"
	InvalidPageToken   Reason = "INVALID_PAGE_TOKEN"
	RequestIDReused    Reason = "REQUEST_ID_REUSED"
	AddRateLimited     Reason = "ADD_RATE_LIMITED"
	DeadlineExceeded   Reason = "DEADLINE_EXCEEDED"
	Cancelled          Reason = "CANCELLED"
	MethodNotAllowed   Reason = "METHOD_NOT_ALLOWED"
	RouteNotFound      Reason = "ROUTE_NOT_FOUND"
	BodyTooLarge       Reason = "BODY_TOO_LARGE"
	BodyTooSlow        Reason = "BODY_TOO_SLOW"
	MediaType          Reason = "UNSUPPORTED_MEDIA_TYPE"

	UnsupportedEncoding Reason = "UNSUPPORTED_ENCODING"
	HeadersTooLarge     Reason = "HEADERS_TOO_LARGE"
)

// Reasons about who calls.
const (
	CredentialMissing    Reason = "CREDENTIAL_MISSING"
	CredentialInvalid    Reason = "CREDENTIAL_INVALID"
	CredentialExpired    Reason = "CREDENTIAL_EXPIRED"
	CredentialsDiffer    Reason = "CREDENTIALS_DIFFER"
	IssuerUnavailable    Reason = "ISSUER_UNAVAILABLE"
	IssuerMismatch       Reason = "ISSUER_MISMATCH"
	RoleNotGranted       Reason = "ROLE_NOT_GRANTED"
	ConferenceNotGranted Reason = "CONFERENCE_NOT_GRANTED"
	OriginRefused        Reason = "ORIGIN_REFUSED"
	HostRefused          Reason = "HOST_REFUSED"
)

// Reasons the upstream gave, by the status of its answer.
const (
	UpstreamBadRequest      Reason = "UPSTREAM_BAD_REQUEST"        // 400
	UpstreamUnauthenticated Reason = "UPSTREAM_UNAUTHENTICATED"    // 401, the caller's own token
	CredentialRefused       Reason = "UPSTREAM_CREDENTIAL_REFUSED" // 401, the gateway's credential
	PaymentRequired         Reason = "UPSTREAM_PAYMENT_REQUIRED"   // 402
	UpstreamForbidden       Reason = "UPSTREAM_FORBIDDEN"          // 403
	ConferenceNotFound      Reason = "CONFERENCE_NOT_FOUND"        // 404
	ParticipantNotFound     Reason = "PARTICIPANT_NOT_FOUND"       // 404 on a remove
	UpstreamConflict        Reason = "UPSTREAM_CONFLICT"           // 409
	ConferenceFull          Reason = "CONFERENCE_FULL"             // 409 that tells so
	UpstreamRateLimited     Reason = "UPSTREAM_RATE_LIMITED"       // 429
	UpstreamRefused         Reason = "UPSTREAM_REFUSED"            // any other 4xx
	UpstreamUnavailable     Reason = "UPSTREAM_UNAVAILABLE"        // 5xx, or a lost answer
)

// Reasons the upstream's silence or words gave.
const (
	UpstreamUnreachable Reason = "UPSTREAM_UNREACHABLE"
	UpstreamTimeout     Reason = "UPSTREAM_TIMEOUT"
	UpstreamUndecodable Reason = "UPSTREAM_UNDECODABLE"
	UpstreamIncomplete  Reason = "UPSTREAM_INCOMPLETE"
	BreakerOpen         Reason = "UPSTREAM_BREAKER_OPEN"
	AddOutcomeUnknown   Reason = "ADD_OUTCOME_UNKNOWN"
	PollDelayed         Reason = "POLL_DELAYED"
)

// Reasons of the gateway itself.
const (
	Draining      Reason = "DRAINING"
	StreamAged    Reason = "STREAM_AGED"
	ClientBlocked Reason = "CLIENT_BLOCKED"
	Internal      Reason = "INTERNAL"
)

// Reasons of the gateway's limits.
const (
	CallerRateLimited  Reason = "CALLER_RATE_LIMITED"  // calls a second of one caller
	TooManyStreams     Reason = "TOO_MANY_STREAMS"     // streams of one caller
	TooManySubscribers Reason = "TOO_MANY_SUBSCRIBERS" // streams in all
	TooManyConferences Reason = "TOO_MANY_CONFERENCES" // conferences watched in all
	TooManyFilters     Reason = "TOO_MANY_FILTERS"     // filters of one conference
)

// Dialled says whether an add that failed may have made a phone ring.
type Dialled string

// What an error of an add can say; other errors say nothing.
const (
	DialledNo      Dialled = "no"
	DialledUnknown Dialled = "unknown"
)

// Error is a failure that a caller may be told of: Reason, Message and the fields
// below are safe to show. Cause is for the log alone.
type Error struct {
	Reason  Reason
	Message string
	// Violations name the fields at fault, for InvalidRequest.
	Violations []Violation
	// Dialled is set on every error of an add, and on BreakerOpen: nothing was sent.
	Dialled Dialled
	// RetryAfter invites a later try; zero where none was named.
	RetryAfter time.Duration
	// UpstreamStatus and UpstreamRequestID are from the upstream's answer, where it
	// gave one.
	UpstreamStatus    int
	UpstreamRequestID string
	// VendorShaped says that the upstream's error had one of its documented bodies,
	// so that it is the upstream speaking and no proxy before it.
	VendorShaped bool
	// Unreached says that the request surely did not reach the upstream.
	Unreached bool

	Cause error
}

// Violation is one field at fault.
type Violation struct {
	// Field is the proto's name of the field.
	Field string
	// Rule is the broken rule's short id.
	Rule    string
	Message string
}

// Error is for the log: it holds the cause too.
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

// UpstreamsOwnWord says that the upstream itself, and no proxy before it, refuses this
// conference or this caller. It is well then; anything else is an outage (W11).
func (e *Error) UpstreamsOwnWord() bool {
	if !e.VendorShaped {
		return false
	}
	switch e.UpstreamStatus {
	case http.StatusNotFound, http.StatusForbidden:
		return true
	case http.StatusUnauthorized:
		// Only the caller's own credential says anything about the caller.
		return e.Reason == UpstreamUnauthenticated
	default:
		return false
	}
}

// IsRefusal reports whether an upstream's status proves that a request was not carried out
// (A1): a 4xx but 408 in one of the documented bodies, or a 401, 407 or 429 in any.
func IsRefusal(status int, vendorShaped bool) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired, http.StatusTooManyRequests:
		return true
	case http.StatusRequestTimeout:
		return false
	default:
		return vendorShaped && status >= 400 && status < 500
	}
}

// Class is what an error proves about the upstream request that failed.
type Class uint8

// The classes of an error.
const (
	// Lost requests may have been carried out: only a list or an answer can show it (A1).
	Lost Class = iota
	// Unreached requests surely did not reach the upstream, so that they may be sent again.
	Unreached
	// Throttled requests were answered 429: nothing was done, and they may be sent again
	// later.
	Throttled
	// Refused requests were not carried out, and would be refused again.
	Refused
)

// Classify returns what an error proves. What proves nothing is Lost: every answer that is
// not the upstream's own verdict, a proxy's 4xx included. Only 401, 407 and 429 mean the
// same whoever answers them.
func Classify(err error) Class {
	e, known := errors.AsType[*Error](err)
	switch {
	case !known:
		return Lost
	case e.Reason == CredentialRefused:
		// It was renewed once, and would be refused again (A5); where the exchange of the key
		// was refused, nothing was sent.
		return Refused
	case e.Unreached:
		return Unreached
	case e.Reason == BreakerOpen, e.Reason == AddRateLimited:
		return Refused
	case e.UpstreamStatus == http.StatusTooManyRequests:
		return Throttled
	case IsRefusal(e.UpstreamStatus, e.VendorShaped):
		return Refused
	default:
		return Lost
	}
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// ReasonOf is the reason of the first Error in err's chain, or Internal.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return Internal
}
