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
	"github.com/audian/participant-gateway/internal/panics"
)

// fakeNetwork forwards requests to an issuer without a connection, since virtual time
// does not advance during network waits.
type fakeNetwork struct {
	issuer  *oidctest.Issuer
	fetches int
	fails   bool
	panics  bool
}

func (n *fakeNetwork) RoundTrip(request *http.Request) (*http.Response, error) {
	if n.panics {
		panic("a mistake")
	}
	if n.fails {
		return nil, errors.New("no route")
	}
	if strings.HasSuffix(request.URL.Path, "/keys") {
		n.fetches++
	}
	status, body := n.issuer.Answer(request)
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), Request: request,
	}, nil
}

func TestAPanicInAFetchIsLoggedAndCounted(t *testing.T) {
	server := oidctest.New()
	defer server.Close()
	var log bytes.Buffer
	keys := newIssuer(server.URL(), slog.New(slog.NewTextHandler(&log, nil)))
	keys.client.Transport = &fakeNetwork{issuer: server, panics: true}
	before := panics.Recovered()
	if _, err := keys.VerifySignature(t.Context(), server.Token(nil)); err == nil {
		t.Error("verified without keys")
	}
	if counted := panics.Recovered() - before; counted != 1 || !strings.Contains(log.String(), "a mistake") {
		t.Errorf("%d counted, the log is %q", counted, &log)
	}
}

// A removed key stays trusted for minutes; an outage removes no key.
func TestOldKeysAreFetchedAgain(t *testing.T) {
	server := oidctest.New()
	defer server.Close()
	first := server.Token(nil)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{issuer: server}
		keys := newIssuer(server.URL(), slog.New(slog.DiscardHandler))
		keys.client.Transport = network
		expect := func(when, token string, valid bool, fetches int) {
			t.Helper()
			_, err := keys.VerifySignature(t.Context(), token)
			if (err == nil) != valid || network.fetches != fetches {
				t.Errorf("%s: got %v after %d fetches, want valid %t after %d", when, err, network.fetches, valid, fetches)
			}
		}
		expect("first use", first, true, 1)
		time.Sleep(maxAge - time.Second)
		expect("before the keys are old", first, true, 1)
		time.Sleep(time.Second)
		expect("when the keys are old", first, true, 2)

		network.fails = true
		time.Sleep(maxAge)
		expect("during an outage", first, true, 2)
		network.fails = false
		expect("soon after: not every call retries", first, true, 2)
		time.Sleep(retryInterval)
		expect("a minute after", first, true, 3)

		server.Rotate("ES256")
		expect("removed, but cached", first, true, 3)
		time.Sleep(maxAge)
		expect("removed, and the cache old", first, false, 5)
	})
}
