package oidc

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/access/oidc/oidctest"
)

// relay answers as an issuer does, without a network, whose waits virtual time does not
// see.
type relay struct {
	issuer *oidctest.Issuer
	reads  int
	fails  bool
}

func (r *relay) RoundTrip(request *http.Request) (*http.Response, error) {
	if r.fails {
		return nil, errors.New("no route")
	}
	if strings.HasSuffix(request.URL.Path, "/keys") {
		r.reads++
	}
	status, body := r.issuer.Answer(request)
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), Request: request,
	}, nil
}

// A key that the issuer took back is trusted for minutes, and an outage takes back none.
func TestOldKeysAreReadAgain(t *testing.T) {
	server := oidctest.New()
	defer server.Close()
	first := server.Token(nil)
	synctest.Test(t, func(t *testing.T) {
		network := &relay{issuer: server}
		keys := newIssuer(server.URL(), slog.New(slog.DiscardHandler))
		keys.client.Transport = network
		expect := func(when, token string, good bool, reads int) {
			t.Helper()
			_, err := keys.VerifySignature(t.Context(), token)
			if (err == nil) != good || network.reads != reads {
				t.Errorf("%s: got %v after %d reads, want %t after %d", when, err, network.reads, good, reads)
			}
		}
		expect("at first", first, true, 1)
		time.Sleep(maxAge - time.Second)
		expect("before they are old", first, true, 1)
		time.Sleep(time.Second)
		expect("when they are", first, true, 2)

		network.fails = true
		time.Sleep(maxAge)
		expect("in an outage", first, true, 2)
		network.fails = false
		expect("soon after: an outage is not to be met by every call", first, true, 2)
		time.Sleep(renewAgain)
		expect("a minute after", first, true, 3)

		server.Rotate("ES256")
		expect("taken back, but not old", first, true, 3)
		time.Sleep(maxAge)
		expect("taken back, and old", first, false, 5)
	})
}
