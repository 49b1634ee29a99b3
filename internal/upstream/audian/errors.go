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
	// maxMessage bounds the characters of the upstream's message that callers get (A5).
	maxMessage = 200
	// defaultRetryAfter is the delay after a 429 without a Retry-After.
	defaultRetryAfter = time.Second
	// maxRetryAfter bounds a Retry-After; the places that wait have lower bounds.
	maxRetryAfter = 24 * time.Hour
)

// transportError is the error of a request without a response. If ctx ended, that is the
// reason; notSent is true if the request certainly did not reach the upstream.
func transportError(ctx context.Context, err error, notSent bool) *apierror.Error {
	e := &apierror.Error{NotSent: notSent, Cause: err}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Reason, e.Message = apierror.DeadlineExceeded, "the deadline passed before the upstream answered"
	case ctx.Err() != nil:
		e.Reason, e.Message = apierror.Cancelled, "the call was cancelled before the upstream answered"
	case notSent:
		e.Reason, e.Message = apierror.UpstreamUnreachable, "the upstream cannot be reached"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		e.Reason, e.Message = apierror.UpstreamTimeout, "the upstream did not answer in time"
	default:
		e.Reason, e.Message = apierror.UpstreamUnavailable, "the upstream's answer was lost"
	}
	return e
}

// bodyError is the error of a 2xx response whose body could not be read.
func (r *response) bodyError(ctx context.Context, err error) *apierror.Error {
	if errors.Is(err, errTooLarge) {
		return r.undecodable(err)
	}
	e := transportError(ctx, err, false)
	e.UpstreamStatus, e.UpstreamRequestID = r.status, r.requestID()
	return e
}

// undecodable is the error of a 2xx response whose body has no certain meaning.
func (r *response) undecodable(err error) *apierror.Error {
	return &apierror.Error{
		Reason: apierror.UpstreamUndecodable, Message: "the upstream's answer cannot be read",
		UpstreamStatus: r.status, UpstreamRequestID: r.requestID(),
		Cause: fmt.Errorf("decode body: %w", r.secrets.MaskError(err)),
	}
}

// decodeError returns err as an *apierror.Error: undecodable, unless it is one already.
func (r *response) decodeError(err error) error {
	if _, known := errors.AsType[*apierror.Error](err); err == nil || known {
		return err
	}
	return r.undecodable(err)
}

// errorOf returns the error that a response reports, or nil.
func (c *Client) errorOf(r request, resp *response) *apierror.Error {
	p := resp.envelope.errorBody()
	switch {
	case !resp.success():
		return c.statusError(r, resp, p, resp.status)
	case p.shaped:
		// The body of a 2xx may report an error, with its status.
		return c.statusError(r, resp, p, p.code)
	default:
		return nil
	}
}

// statusError is the error for a status, with the message of the body.
func (c *Client) statusError(r request, resp *response, p errorBody, status int) *apierror.Error {
	e := &apierror.Error{
		Reason:            c.reason(r, status, p),
		Message:           truncate(redact.MaskNumbers(resp.secrets.Mask(clean(p.message)))),
		UpstreamStatus:    status,
		UpstreamRequestID: resp.requestID(),
		FromUpstream:      p.shaped,
		RetryAfter:        retryAfter(resp.header.Get("Retry-After"), time.Now()),
	}
	if e.UpstreamStatus == 0 {
		e.UpstreamStatus = resp.status
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("the upstream answered %d %s", e.UpstreamStatus, http.StatusText(e.UpstreamStatus))
	}
	if e.Reason == apierror.UpstreamRateLimited && e.RetryAfter == 0 {
		e.RetryAfter = defaultRetryAfter
	}
	return e
}

// reasons are those of statuses that mean the same in every call, if the body is a documented
// error (A5).
var reasons = map[int]apierror.Reason{
	http.StatusBadRequest:      apierror.UpstreamBadRequest,
	http.StatusPaymentRequired: apierror.PaymentRequired,
	http.StatusForbidden:       apierror.UpstreamForbidden,
}

// transportStatuses are statuses of the transport: they prove nothing about the request itself,
// even with a documented body (A5).
var transportStatuses = []int{
	http.StatusProxyAuthRequired, http.StatusLengthRequired, http.StatusExpectationFailed,
	http.StatusMisdirectedRequest, http.StatusTooEarly, http.StatusUpgradeRequired,
}

// reason returns the reason for a status. A 4xx without a documented body is a proxy's, and so an
// outage. Only 408 and 429 mean the same from a proxy as from the upstream.
func (c *Client) reason(r request, status int, p errorBody) apierror.Reason {
	switch {
	case status == http.StatusTooManyRequests:
		return apierror.UpstreamRateLimited
	case status == http.StatusRequestTimeout:
		return apierror.UpstreamTimeout
	case p.shaped && isClientError(status):
		return c.clientErrorReason(r, status, p)
	default:
		return apierror.UpstreamUnavailable
	}
}

// isClientError reports whether a status in a documented body refuses the request itself.
func isClientError(status int) bool {
	is4xx := status >= http.StatusBadRequest && status < http.StatusInternalServerError
	return is4xx && !slices.Contains(transportStatuses, status) &&
		status != http.StatusRequestTimeout && status != http.StatusTooManyRequests
}

// clientErrorReason returns the reason for a 4xx of the upstream itself.
func (c *Client) clientErrorReason(r request, status int, p errorBody) apierror.Reason {
	switch {
	case status == http.StatusUnauthorized && c.options.Credential.kind == callerToken:
		return apierror.UpstreamUnauthenticated
	case status == http.StatusUnauthorized:
		return apierror.CredentialRefused
	case status == http.StatusNotFound && r.namesParticipant():
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

// requestID returns the id by which the vendor's support finds the request.
func (r *response) requestID() string {
	id, _ := text(r.envelope.RequestID)
	if id == "" {
		id = r.header.Get("X-Request-Id")
	}
	if id == "" {
		return ""
	}
	return truncate(r.secrets.Mask(clean(id)))
}

// clean makes text from outside printable: valid UTF-8 without control characters.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// truncate shortens text to maxMessage characters. Secrets must be redacted before: half a secret is
// still one.
func truncate(s string) string {
	if runes := []rune(s); len(runes) > maxMessage {
		return string(runes[:maxMessage])
	}
	return s
}

// retryAfter parses a Retry-After, seconds or an HTTP date; zero if there is none.
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
