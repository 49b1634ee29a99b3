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
	// throttled requests were answered 429, and not carried out.
	throttled
	// refused requests were not carried out, and would be refused again.
	refused
)

// classify judges an error of a request. What proves nothing is lost: every answer that
// is not the upstream's own verdict, a 4xx of a proxy included. Only 401, 407 and 429 mean
// the same whoever answers them.
func classify(err error) errorClass {
	e, known := errors.AsType[*participant.Error](err)
	switch {
	case !known:
		return lost
	case e.Reason == participant.CredentialRefused:
		// It was renewed once, and would be refused again (A5); where the exchange of the key
		// was refused, nothing was sent.
		return refused
	case e.Unreached:
		return unreached
	case e.Reason == participant.BreakerOpen, e.Reason == participant.AddRateLimited:
		return refused
	case e.UpstreamStatus == http.StatusTooManyRequests:
		return throttled
	case isRefusal(e.UpstreamStatus, e.VendorShaped):
		return refused
	default:
		return lost
	}
}

// isRefusal says whether a status proves that the request was not carried out.
func isRefusal(status int, vendorShaped bool) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired:
		return true
	case http.StatusRequestTimeout:
		return false
	default:
		return vendorShaped && status >= 400 && status < 500
	}
}
