package oidc

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// answering is a transport that answers every request alike.
type answering struct {
	status int
	body   string
	asked  int
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked++
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func TestKeysAreNotReadInPlainTextOffLoopback(t *testing.T) {
	for url, allowed := range map[string]bool{
		"https://id.example/keys": true, "http://127.0.0.1:1/keys": true, "http://[::1]/keys": true, "http://localhost/keys": true,
		"http://id.example/keys": false, "http://10.0.0.1/keys": false, "http://localhost.example/keys": false,
	} {
		network := &answering{status: http.StatusOK}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := strict{network}.RoundTrip(request)
		if err == nil {
			response.Body.Close()
		}
		if (err == nil) != allowed || (network.asked == 1) != allowed {
			t.Errorf("%s: got %v after %d requests", url, err, network.asked)
		}
	}
}

func TestOtherAnswersThanGoodOnesShowNothing(t *testing.T) {
	for _, status := range []int{http.StatusNoContent, http.StatusForbidden, http.StatusNotFound, http.StatusBadGateway} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://id.example", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := strict{&answering{status: status, body: "hidden-1"}}.RoundTrip(request)
		if err == nil {
			response.Body.Close()
			t.Errorf("%d: no error", status)
		} else if strings.Contains(err.Error(), "hidden-1") {
			t.Errorf("%d: got %v", status, err)
		}
	}
}
