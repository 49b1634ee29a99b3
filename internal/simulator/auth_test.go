package simulator_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

func TestCredentials(t *testing.T) {
	staticToken := simulator.Options{Tokens: []string{"static"}}
	key := simulator.Options{APIKeys: []string{"key"}}
	tests := map[string]struct {
		options       simulator.Options
		header, value string
		status        int
	}{
		"any token":    {simulator.Options{}, "X-Auth-Token", "anything", http.StatusOK},
		"no token":     {simulator.Options{}, "", "", http.StatusUnauthorized},
		"empty bearer": {simulator.Options{}, "Authorization", "Bearer ", http.StatusUnauthorized},
		"basic":        {simulator.Options{}, "Authorization", "Basic abc", http.StatusUnauthorized},
		"static":       {staticToken, "X-Auth-Token", "static", http.StatusOK},
		"bearer":       {staticToken, "Authorization", "Bearer static", http.StatusOK},
		"lower bearer": {staticToken, "Authorization", "bearer static", http.StatusOK},
		"wrong":        {staticToken, "X-Auth-Token", "stale", http.StatusUnauthorized},
		"key as token": {key, "X-Auth-Token", "key", http.StatusUnauthorized},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, c := start(t, test.options)
			resp := c.with(test.header, test.value).want(test.status, http.MethodGet, participantsPath(conferenceID), "")
			const refusal = `{"data":{"message":"invalid or expired token"},"error":"401","message":"unauthorized","request_id":"req_00000001","status":"error"}`
			if test.status == http.StatusUnauthorized && resp.body != refusal {
				t.Errorf("got %s", resp.body)
			}
		})
	}
}

func exchange(c *client) string {
	c.t.Helper()
	resp := c.with("", "").want(http.StatusOK, http.MethodPut, "/v2/api_auth", `{"data":{"api_key":"key"}}`)
	token := decode[struct {
		AuthToken string `json:"auth_token"`
	}](c.t, resp.body).AuthToken
	if !strings.HasPrefix(token, "eyJ") {
		c.t.Fatalf("got %s", resp.body)
	}
	return token
}

func TestTokenExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{APIKeys: []string{"key"}, TokenTTL: time.Minute})
		one, two := exchange(c), exchange(c)
		if one == two {
			t.Error("got the same token twice")
		}
		use := func(token string, status int) {
			t.Helper()
			c.with("X-Auth-Token", token).want(status, http.MethodGet, participantsPath(conferenceID), "")
		}
		use(one, http.StatusOK)
		time.Sleep(59 * time.Second)
		use(two, http.StatusOK)
		time.Sleep(time.Second)
		use(one, http.StatusUnauthorized)
		three := exchange(c)
		use(three, http.StatusOK)
		s.ExpireTokens()
		use(three, http.StatusUnauthorized)
	})
}

func TestTokenExchange_Validation(t *testing.T) {
	tests := map[string]struct {
		body   string
		status int
	}{
		"documented": {`{"data":{"api_key":"key"}}`, http.StatusOK},
		"bare":       {`{"api_key":"key"}`, http.StatusOK},
		"wrong":      {`{"data":{"api_key":"other"}}`, http.StatusUnauthorized},
		"none":       {`{"data":{}}`, http.StatusBadRequest},
		"no json":    {`key`, http.StatusBadRequest},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, c := start(t, simulator.Options{APIKeys: []string{"key"}})
			resp := c.want(test.status, http.MethodPut, "/v2/api_auth", test.body)
			want := []string{"auth_token", "data", "request_id", "revision", "status", "tokens"}
			if got := keys(t, resp.body); test.status == http.StatusOK && !slices.Equal(got, want) {
				t.Errorf("has %v", got)
			}
		})
	}
}

func TestHistoryContainsNoCredential(t *testing.T) {
	s, c := start(t, simulator.Options{APIKeys: []string{"secret-key"}, Tokens: []string{"secret-token"}})
	c = c.with("X-Auth-Token", "secret-token")
	c.do(http.MethodPut, "/v2/api_auth", `{"data":{"api_key":"secret-key"}}`)
	c.do(http.MethodGet, participantsPath(conferenceID)+"?token=secret-token", "")
	c.with("Authorization", "Bearer secret-token").do(http.MethodGet, participantsPath(conferenceID), "")
	text, err := json.Marshal(s.History())
	if err != nil || strings.Contains(string(text), "secret") || len(s.History()) != 3 {
		t.Errorf("history %s: %v", text, err)
	}
}
