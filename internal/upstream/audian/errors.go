package audian

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/redact"
)

const (
	// maxMessage is how many characters of the upstream's words are passed on (A5).
	maxMessage = 200
	// defaultRetryAfter is what a 429 asks for that names no time.
	defaultRetryAfter = time.Second
	// maxRetryAfter keeps what a Retry-After asks for within reason; those who wait
	// have shorter caps of their own.
	maxRetryAfter = 24 * time.Hour
)

// silence is the error of a request without an answer. The caller's own deadline goes
// before what it did to the request; unreached says that it surely did not arrive.
func transportError(ctx context.Context, err error, unreached bool) *apierror.Error {
	e := &apierror.Error{NotSent: unreached, Cause: err}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Reason, e.Message = apierror.DeadlineExceeded, "the deadline passed before the upstream answered"
	case ctx.Err() != nil:
		e.Reason, e.Message = apierror.Cancelled, "the call was cancelled before the upstream answered"
	case unreached:
		e.Reason, e.Message = apierror.UpstreamUnreachable, "the upstream cannot be reached"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		e.Reason, e.Message = apierror.UpstreamTimeout, "the upstream did not answer in time"
	default:
		e.Reason, e.Message = apierror.UpstreamUnavailable, "the upstream's answer was lost"
	}
	return e
}

// broken is the error of an answer of success whose body could not be read.
func (a *response) bodyError(ctx context.Context, err error) *apierror.Error {
	if errors.Is(err, errTooLarge) {
		return a.undecodable(err)
	}
	e := transportError(ctx, err, false)
	e.UpstreamStatus, e.UpstreamRequestID = a.status, a.requestID()
	return e
}

// undecodable is the error of an answer of success that says nothing for certain.
func (a *response) undecodable(err error) *apierror.Error {
	return &apierror.Error{
		Reason: apierror.UpstreamUndecodable, Message: "the upstream's answer cannot be read",
		UpstreamStatus: a.status, UpstreamRequestID: a.requestID(),
		Cause: fmt.Errorf("decode body: %w", a.secrets.MaskError(err)),
	}
}

// unreadable is the error of an answer of success that could not be used, nil where err
// is nil.
func (a *response) decodeError(err error) error {
	if _, known := errors.AsType[*apierror.Error](err); err == nil || known {
		return err
	}
	return a.undecodable(err)
}

// judge returns the error that an answer is, nil for a success.
func (c *Client) errorOf(r request, a *response) *apierror.Error {
	p := a.envelope.errorBody()
	switch {
	case !a.success():
		return c.statusError(r, a, p, a.status)
	case p.shaped:
		// A success whose body says error is the error that the body names.
		return c.statusError(r, a, p, p.code)
	default:
		return nil
	}
}

// refused is the error for a status, with what the body says about it.
func (c *Client) statusError(r request, a *response, p errorBody, status int) *apierror.Error {
	e := &apierror.Error{
		Reason:            c.reason(r.operation, status, p),
		Message:           cut(redact.MaskNumbers(a.secrets.Mask(clean(p.message)))),
		UpstreamStatus:    status,
		UpstreamRequestID: a.requestID(),
		FromUpstream:      p.shaped,
		RetryAfter:        retryAfter(a.header.Get("Retry-After"), time.Now()),
	}
	if e.UpstreamStatus == 0 {
		e.UpstreamStatus = a.status
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("the upstream answered %d %s", e.UpstreamStatus, http.StatusText(e.UpstreamStatus))
	}
	if e.Reason == apierror.UpstreamRateLimited && e.RetryAfter == 0 {
		e.RetryAfter = defaultRetryAfter
	}
	return e
}

// reasons are those of statuses that mean the same in every call, in a documented body
// (A5).
var reasons = map[int]apierror.Reason{
	http.StatusBadRequest:      apierror.UpstreamBadRequest,
	http.StatusPaymentRequired: apierror.PaymentRequired,
	http.StatusForbidden:       apierror.UpstreamForbidden,
}

// transportStatuses are statuses that say nothing about the request, whatever the body: it failed
// on its way to the upstream, or the two could not agree on how to speak (A5).
var transportStatuses = []int{
	http.StatusProxyAuthRequired, http.StatusLengthRequired, http.StatusExpectationFailed,
	http.StatusMisdirectedRequest, http.StatusTooEarly, http.StatusUpgradeRequired,
}

// reason is that of a status. A 4xx without a documented body is a proxy's, and so a
// failure of the way there. Only 408 and 429 mean the same whoever answers them.
func (c *Client) reason(operation Operation, status int, p errorBody) apierror.Reason {
	switch {
	case status == http.StatusTooManyRequests:
		return apierror.UpstreamRateLimited
	case status == http.StatusRequestTimeout:
		return apierror.UpstreamTimeout
	case p.shaped && isClientError(status):
		return c.clientErrorReason(operation, status, p)
	default:
		return apierror.UpstreamUnavailable
	}
}

// isVerdict reports whether a status in a documented body refuses the request itself.
func isClientError(status int) bool {
	isClientError := status >= http.StatusBadRequest && status < http.StatusInternalServerError
	return isClientError && !slices.Contains(transportStatuses, status) &&
		status != http.StatusRequestTimeout && status != http.StatusTooManyRequests
}

// verdict is the reason of a 4xx that is the upstream's own.
func (c *Client) clientErrorReason(operation Operation, status int, p errorBody) apierror.Reason {
	switch {
	case status == http.StatusUnauthorized && c.options.Credential.kind == callerToken:
		return apierror.UpstreamUnauthenticated
	case status == http.StatusUnauthorized:
		return apierror.CredentialRefused
	case status == http.StatusNotFound && operation == Remove:
		return apierror.ParticipantNotFound
	case status == http.StatusNotFound:
		return apierror.ConferenceNotFound
	case status == http.StatusConflict && p.isFull():
		return apierror.ConferenceFull
	case status == http.StatusConflict:
		return apierror.UpstreamConflict
	case reasons[status] != "":
		return reasons[status]
	default:
		return apierror.UpstreamRefused
	}
}

// requestID is the id by which the vendor's support finds the request.
func (a *response) requestID() string {
	id, _ := text(a.envelope.RequestID)
	if id == "" {
		id = a.header.Get("X-Request-ID")
	}
	return cut(a.secrets.Mask(clean(id)))
}

// clean makes text from outside fit to be shown: valid, and without control characters.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// cut shortens text to as many characters as are passed on. What is to be hidden in it
// was hidden before: half a secret is one still.
func cut(s string) string {
	if runes := []rune(s); len(runes) > maxMessage {
		return string(runes[:maxMessage])
	}
	return s
}

// retryAfter reads a Retry-After, seconds or an HTTP date; zero where there is none.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		return min(max(time.Duration(seconds)*time.Second, 0), maxRetryAfter)
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), maxRetryAfter)
}
