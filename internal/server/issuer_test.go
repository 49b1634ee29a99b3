package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/access/oidc/oidctest"
)

// An Add that ends before it is sent has dialled no phone (A1).
func TestA01_ADeadlineThatEndsAtTheIssuer(t *testing.T) {
	issuer := oidctest.New()
	t.Cleanup(issuer.Close)
	t.Cleanup(issuer.BlockResponses())
	r := run(t, "--auth=oidc", "--oidc-issuer="+issuer.URL(), "--oidc-audience="+oidctest.Audience)
	request, err := http.NewRequestWithContext(r.context(), http.MethodPost,
		r.url(""), strings.NewReader(`{"phone_number":"+12025550123"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Auth-Token", issuer.Token(oidctest.Claims{"role": "writer"}))
	request.Header.Set("Grpc-Timeout", "200m")
	response, err := r.browser(nil).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"status":"DEADLINE_EXCEEDED"`, `"reason":"DEADLINE_EXCEEDED"`, `"dialled":"no"`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("%d without %s: %s", response.StatusCode, want, body)
		}
	}
}
