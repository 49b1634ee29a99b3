package oidc

import (
	"fmt"
	"net/http"
)

// maxBody bounds an answer of the issuer.
const maxBody = 1 << 20

// strict is a transport that gives good answers alone: any status but 200 is an error,
// without the body, which would find its way into the log.
type strict struct{ next http.RoundTripper }

// RoundTrip bounds the body. Redirects are left to the client.
func (s strict) RoundTrip(r *http.Request) (*http.Response, error) {
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
