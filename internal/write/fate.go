package write

import (
	"errors"
	"net/http"
	"slices"

	"github.com/audian/participant-gateway/internal/participant"
)

// fate is what an error says about the request that failed.
type fate uint8

const (
	// lost requests may have done their work: only an answer would tell (A1).
	lost fate = iota
	// unreached requests surely never reached the upstream.
	unreached
	// throttled requests were answered 429, which did nothing.
	throttled
	// refused requests did nothing, and would do nothing again.
	refused
)

// refusals are the reasons for which nothing was done, wherever the word came from:
// a status, or the envelope of a 200. UpstreamRefused is left to its status, since a
// redirect is one too and proves nothing.
var refusals = []participant.Reason{
	participant.UpstreamBadRequest,
	participant.UpstreamUnauthenticated,
	participant.PaymentRequired,
	participant.UpstreamForbidden,
	participant.ConferenceNotFound,
	participant.ParticipantNotFound,
	participant.UpstreamConflict,
	participant.ConferenceFull,
	participant.BreakerOpen,
	participant.AddRateLimited,
}

// fateOf judges an error of a request that was sent. What it does not know is lost.
func fateOf(err error) fate {
	e, ok := errors.AsType[*participant.Error](err)
	switch {
	case !ok:
		return lost
	case e.Reason == participant.CredentialRefused:
		// Also where it was the exchange of a key that was refused, so that the request
		// was never sent: it has been renewed once, and would be refused again (A5).
		return refused
	case e.Unreached:
		return unreached
	case e.UpstreamStatus == http.StatusTooManyRequests, e.Reason == participant.UpstreamRateLimited:
		return throttled
	case participant.Refused(e.UpstreamStatus, e.VendorShaped), slices.Contains(refusals, e.Reason):
		return refused
	default:
		return lost
	}
}
