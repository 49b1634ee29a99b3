package access_test

import (
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
)

// FuzzCredentials checks that a secret is one that the call presents, that no other one
// is presented, and that the order of the headers does not matter.
func FuzzCredentials(f *testing.F) {
	f.Add("Bearer one", "one", "")
	f.Add("Bearer one", "two", "bearer one")
	f.Add("Basic b25lOnR3bw==", "", "Bearer")
	f.Fuzz(func(t *testing.T, authorization, token, second string) {
		credentials := access.Credentials{Authorization: []string{authorization, second}, AuthToken: []string{token}}
		got, err := credentials.RequireSecret("a key")
		if err != nil {
			reason := apierror.ReasonOf(err)
			if got != "" || reason != apierror.CredentialsDiffer && reason != apierror.CredentialMissing {
				t.Errorf("%q with %v", got.Reveal(), err)
			}
			return
		}
		if got == "" || strings.TrimSpace(got.Reveal()) != got.Reveal() {
			t.Errorf("accepted %q as a credential", got.Reveal())
		}
		for _, value := range []string{authorization, second} {
			scheme, other, _ := strings.Cut(strings.TrimSpace(value), " ")
			if other = strings.TrimSpace(other); strings.EqualFold(scheme, "bearer") && other != "" && other != got.Reveal() {
				t.Errorf("accepted %q, although %q is presented too", got.Reveal(), other)
			}
		}
		if token := strings.TrimSpace(token); token != "" && token != got.Reveal() {
			t.Errorf("accepted %q, although %q is presented too", got.Reveal(), token)
		}
		reversed := access.Credentials{Authorization: []string{second, authorization}, AuthToken: []string{token}}
		if again, err := reversed.Secret(); err != nil || again != got {
			t.Errorf("reversed: %q and %q, %v", got.Reveal(), again.Reveal(), err)
		}
	})
}
