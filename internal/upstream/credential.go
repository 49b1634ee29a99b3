package upstream

import (
	"net/http"
	"sync/atomic"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

// credentialState records whether the upstream accepts the gateway's credential (A5).
type credentialState struct {
	refused atomic.Bool
	changed notifier
}

func (c *credentialState) accepted() bool { return !c.refused.Load() }

// recordOutcome records the outcome of a call, after a renewal of the token.
func (c *credentialState) recordOutcome(err error) {
	if err != nil && apierror.ReasonOf(err) == apierror.CredentialRefused {
		c.set(true)
	}
}

// recordResult records the result of a request. Every response but a 401 shows that the
// credential is accepted. A successful key exchange does not show yet that its token is.
func (c *credentialState) recordResult(result audian.Result) {
	if result.Status == 0 || result.Operation == audian.Exchange {
		return
	}
	if result.Err == nil || result.Err.UpstreamStatus != http.StatusUnauthorized {
		c.set(false)
	}
}

func (c *credentialState) set(refused bool) {
	if c.refused.Swap(refused) != refused {
		c.changed.notify()
	}
}
