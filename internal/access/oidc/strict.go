package oidc

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
)

// maxBody limits a response of the issuer.
const maxBody = 1 << 20

// strictTransport turns every status but 200 into an error without the body, which would
// get into the log. Off loopback it requires TLS, also for redirects and jwks_uri: an
// attacker who can change the keys can forge tokens.
type strictTransport struct{ next http.RoundTripper }

// RoundTrip limits the body. It leaves redirects to the client.
func (s strictTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !isLoopback(r.URL.Hostname()) {
		return nil, errors.New("plain text off loopback is refused")
	}
	response, err := s.next.RoundTrip(r)
	if err != nil {
		return nil, err //nolint:wrapcheck // http.Client names the request.
	}
	isRedirect := response.StatusCode >= 300 && response.StatusCode < 400
	if response.StatusCode != http.StatusOK && !isRedirect {
		_ = response.Body.Close() // Nothing reads it.
		return nil, fmt.Errorf("the issuer returned status %d", response.StatusCode)
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maxBody)
	return response, nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}
