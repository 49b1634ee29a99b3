package oidc

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// fixedTransport answers every request with the same response.
type fixedTransport struct {
	status   int
	body     string
	requests int
}

func (t *fixedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.requests++
	return &http.Response{StatusCode: t.status, Body: io.NopCloser(strings.NewReader(t.body)), Request: r}, nil
}

func TestKeysAreNotFetchedInPlainTextOffLoopback(t *testing.T) {
	for url, allowed := range map[string]bool{
		"https://id.example/keys": true, "http://127.0.0.1:1/keys": true, "http://[::1]/keys": true, "http://localhost/keys": true,
		"http://id.example/keys": false, "http://10.0.0.1/keys": false, "http://localhost.example/keys": false,
	} {
		network := &fixedTransport{status: http.StatusOK}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := strictTransport{network}.RoundTrip(request)
		if err == nil {
			response.Body.Close()
		}
		if (err == nil) != allowed || (network.requests == 1) != allowed {
			t.Errorf("%s: got %v after %d requests", url, err, network.requests)
		}
	}
}

func TestErrorsDoNotContainTheBody(t *testing.T) {
	for _, status := range []int{http.StatusNoContent, http.StatusForbidden, http.StatusNotFound, http.StatusBadGateway} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://id.example", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := strictTransport{&fixedTransport{status: status, body: "hidden-1"}}.RoundTrip(request)
		if err == nil {
			response.Body.Close()
			t.Errorf("%d: no error", status)
		} else if strings.Contains(err.Error(), "hidden-1") {
			t.Errorf("%d: got %v", status, err)
		}
	}
}
