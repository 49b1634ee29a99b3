package upstream

import (
	"net/http"
	"sync/atomic"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

// health knows whether the upstream takes the gateway's own credential (A5).
type health struct {
	refused atomic.Bool
	changed signal
}

// serving says whether it does, as far as is known.
func (h *health) serving() bool { return !h.refused.Load() }

// settled notes how a call ended, its renewal included.
func (h *health) settled(err error) {
	if err != nil && apierror.ReasonOf(err) == apierror.CredentialRefused {
		h.set(true)
	}
}

// answered notes a request that the upstream answered. Whatever the answer, it is the end
// of a refusal unless it is a 401, whoever gave it; that a key could be exchanged does not
// say yet that its token is taken.
func (h *health) answered(result audian.Result) {
	if result.Status == 0 || result.Operation == audian.Exchange {
		return
	}
	if result.Err == nil || result.Err.UpstreamStatus != http.StatusUnauthorized {
		h.set(false)
	}
}

func (h *health) set(refused bool) {
	if h.refused.Swap(refused) != refused {
		h.changed.ring()
	}
}
