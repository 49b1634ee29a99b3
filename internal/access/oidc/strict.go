package oidc

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
)

// maxBody bounds an answer of the issuer.
const maxBody = 1 << 20

// strict is a transport that gives good answers alone: any status but 200 is an error,
// without the body, which would find its way into the log. Off loopback it speaks TLS
// alone, wherever redirects and jwks_uri lead: who could change the keys could call.
type strict struct{ next http.RoundTripper }

// RoundTrip bounds the body. Redirects are left to the client.
func (s strict) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !isLoopback(r.URL.Hostname()) {
		return nil, errors.New("refuse to read keys in plain text off loopback")
	}
	response, err := s.next.RoundTrip(r)
	if err != nil {
		return nil, err //nolint:wrapcheck // http.Client names the request.
	}
	isRedirect := response.StatusCode >= 300 && response.StatusCode < 400
	if response.StatusCode != http.StatusOK && !isRedirect {
		_ = response.Body.Close() // It is not read.
		return nil, fmt.Errorf("the issuer answered %d", response.StatusCode)
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maxBody)
	return response, nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}
