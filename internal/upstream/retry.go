package upstream

import (
	"errors"
	"net/http"

	"github.com/audian/participant-gateway/internal/apierror"
)

// maxListRetries is how often a caller's list is read again.
const maxListRetries = 2

// isRetryable reports whether a list that failed may succeed when it is read again: after an
// outage or a 429, but not after a redirect.
func isRetryable(err error) bool {
	var e *apierror.Error
	if !errors.As(err, &e) {
		return false
	}
	if e.Reason == apierror.UpstreamRateLimited {
		return true
	}
	redirect := e.UpstreamStatus >= http.StatusMultipleChoices && e.UpstreamStatus < http.StatusBadRequest
	return isOutage(err) && !redirect
}

// isOutage reports whether the upstream could not be reached or did not work.
func isOutage(err error) bool {
	switch apierror.ReasonOf(err) {
	case apierror.UpstreamUnreachable, apierror.UpstreamUnavailable, apierror.UpstreamTimeout:
		return true
	default:
		return false
	}
}
