package upstream

import (
	"net/http"

	"github.com/audian/participant-gateway/internal/apierror"
)

// maxListRetries is how often a caller's list is read again.
const maxListRetries = 2

// isRetryable reports whether a list that failed may succeed when it is read again: after an
// outage or a 429, but not after a redirect.
func isRetryable(err error) bool {
	status := apierror.UpstreamStatusOf(err)
	redirect := status >= http.StatusMultipleChoices && status < http.StatusBadRequest
	return apierror.IsUnavailable(err) && !redirect || apierror.ReasonOf(err) == apierror.UpstreamRateLimited
}
