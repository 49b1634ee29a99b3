package write

import (
	"errors"
	"net/http"

	"github.com/audian/participant-gateway/internal/participant"
)

// errorClass is what an error proves about the request that failed.
type errorClass uint8

const (
	// lost requests may have been carried out: only a list or an answer can show it (A1).
	lost errorClass = iota
	// unreached requests surely did not reach the upstream.
	unreached
	// throttled requests were answered 429 by the upstream itself and not carried out.
	throttled
	// refused requests were not carried out, and would be refused again.
	refused
)

// classify judges an error of a request. What proves nothing is lost: every answer that
// is not the upstream's own verdict, a 4xx of a proxy included.
func classify(err error) errorClass {
	e, known := errors.AsType[*participant.Error](err)
	switch {
	case !known:
		return lost
	case e.Unreached && e.Reason == participant.CredentialRefused:
		// The exchange of the key was refused, and would be again (A5).
		return refused
	case e.Unreached:
		return unreached
	case e.Reason == participant.BreakerOpen, e.Reason == participant.AddRateLimited:
		return refused
	case e.UpstreamStatus == http.StatusProxyAuthRequired:
		return refused
	case !e.VendorShaped || !participant.Refused(e.UpstreamStatus):
		return lost
	case e.UpstreamStatus == http.StatusTooManyRequests:
		return throttled
	default:
		return refused
	}
}
