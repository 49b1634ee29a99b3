package oidc

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// keysAsOf are the keys of an issuer as they were when they were read.
type keysAsOf struct {
	read int
	err  error
}

func (k keysAsOf) VerifySignature(context.Context, string) ([]byte, error) {
	return fmt.Appendf(nil, "read %d", k.read), k.err
}

var (
	errFalse  = errors.New("failed to verify id token signature")
	errOutage = fmt.Errorf("fetching keys %w", errors.New("no route"))
)

// A key that the issuer took back is trusted for minutes, and an outage takes back none.
func TestOldKeysAreReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads int
		var failure error
		keys := newKeySet(func() oidc.KeySet {
			reads++
			return keysAsOf{reads, failure}
		})
		expect := func(when, want string, wantErr error) {
			t.Helper()
			payload, err := keys.VerifySignature(t.Context(), "token")
			if string(payload) != want || !errors.Is(err, wantErr) {
				t.Errorf("%s: got %q, %v, want %q, %v", when, payload, err, want, wantErr)
			}
		}
		expect("at first", "read 1", nil)
		time.Sleep(maxAge - time.Second)
		expect("before they are old", "read 1", nil)
		time.Sleep(time.Second)
		expect("when they are", "read 2", nil)

		failure = errOutage
		time.Sleep(maxAge)
		expect("in an outage", "read 2", nil)
		expect("soon after", "read 2", nil)
		if reads != 3 {
			t.Errorf("read %d times, want 3: an outage is not to be met by every call", reads)
		}
		failure = errFalse
		time.Sleep(renewAgain)
		expect("after it", "read 4", errFalse)
	})
}

// The key set of go-oidc must go on to tell outages by what it wraps.
func TestOutagesAreToldFromFalseSignatures(t *testing.T) {
	for _, test := range []struct {
		err    error
		outage bool
	}{{nil, false}, {errFalse, false}, {errOutage, true}} {
		_, err := verifyWith(t.Context(), keysAsOf{err: test.err}, "token")
		if _, isOutage := errors.AsType[*outageError](err); isOutage != test.outage {
			t.Errorf("%v: taken for an outage: %t", test.err, isOutage)
		}
	}
}
