package audian

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// TestR05_ARefusalMaySayHowLongAllProcessesWait: then the client does not count its own refusals.
func TestR05_ARefusalMaySayHowLongAllProcessesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c tokenCache
		refusal := &apierror.Error{Reason: apierror.CredentialRefused, NotSent: true, RetryAfter: 7 * time.Second}
		c.record("", refusal)
		if wait := time.Until(c.notBefore); wait != 7*time.Second || c.delay != 0 || refusal.RetryAfter != 0 {
			t.Errorf("waits %s, delay %s, callers %s", wait, c.delay, refusal.RetryAfter)
		}
		c.record("", refusal)
		if wait := time.Until(c.notBefore); wait != firstRetry {
			t.Errorf("waits %s for its own refusal", wait)
		}
	})
}
