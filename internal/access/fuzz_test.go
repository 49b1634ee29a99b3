package access_test

import (
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
)

// FuzzPresented holds that a credential is taken from a call only where the call
// presents it and no other, in whichever order.
func FuzzPresented(f *testing.F) {
	f.Add("Bearer one", "one", "")
	f.Add("Bearer one", "two", "bearer one")
	f.Add("Basic b25lOnR3bw==", "", "Bearer")
	f.Fuzz(func(t *testing.T, authorization, token, second string) {
		presented := access.Credentials{Authorization: []string{authorization, second}, AuthToken: []string{token}}
		got, err := presented.RequireSecret("a key")
		if err != nil {
			reason := apierror.ReasonOf(err)
			if got != "" || reason != apierror.CredentialsDiffer && reason != apierror.CredentialMissing {
				t.Errorf("%q beside %v", got.Reveal(), err)
			}
			return
		}
		if got == "" || strings.TrimSpace(got.Reveal()) != got.Reveal() {
			t.Errorf("took %q for a credential", got.Reveal())
		}
		for _, value := range []string{authorization, second} {
			scheme, other, _ := strings.Cut(strings.TrimSpace(value), " ")
			if other = strings.TrimSpace(other); strings.EqualFold(scheme, "bearer") && other != "" && other != got.Reveal() {
				t.Errorf("took %q, though %q was presented too", got.Reveal(), other)
			}
		}
		if token := strings.TrimSpace(token); token != "" && token != got.Reveal() {
			t.Errorf("took %q, though %q was presented too", got.Reveal(), token)
		}
		turned := access.Credentials{Authorization: []string{second, authorization}, AuthToken: []string{token}}
		if again, err := turned.Secret(); err != nil || again != got {
			t.Errorf("turned round: %q and %q, %v", got.Reveal(), again.Reveal(), err)
		}
	})
}
