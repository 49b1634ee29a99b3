package simulator

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// issuedToken is a token that was issued for an API key.
type issuedToken struct {
	key     string
	expires time.Time
}

// credential returns the token of the request, from either header.
func credential(r *http.Request) string {
	if token := r.Header.Get("X-Auth-Token"); token != "" {
		return token
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// authenticate sets the token and the account of the call.
func (s *Simulator) authenticate(c *call, now time.Time) bool {
	token := credential(c.request)
	owner, accepted := s.tokenOwner(token, now)
	if !accepted {
		return false
	}
	c.token, c.account = token, s.state.account(owner, now, &s.options)
	return true
}

// tokenOwner returns what identifies the account of a token: the key that it was issued
// for, or the token itself.
func (s *Simulator) tokenOwner(token string, now time.Time) (owner string, accepted bool) {
	o := &s.options
	switch known, isIssued := s.state.tokens[token]; {
	case token == "":
		return "", false
	case isIssued:
		return known.key, now.Before(known.expires)
	case slices.Contains(o.Tokens, token), len(o.Tokens)+len(o.APIKeys) == 0:
		return token, true
	default:
		return "", false
	}
}

// wireTokenRequest is the body of PUT /v2/api_auth.
type wireTokenRequest struct {
	APIKey string `json:"api_key"`
}

// wireOwner is the data of its response.
type wireOwner struct {
	AccountID string `json:"account_id"`
	OwnerID   string `json:"owner_id"`
}

// issueToken exchanges an API key for a short-lived token.
func (s *Simulator) issueToken(c *call, now time.Time) result {
	var req wireTokenRequest
	if err := json.Unmarshal(unwrap(c.body), &req); err != nil || req.APIKey == "" {
		return failure(http.StatusBadRequest, "field required: api_key")
	}
	if !s.knowsKey(req.APIKey) {
		return failure(http.StatusUnauthorized, "invalid api_key")
	}
	c.account = s.state.account(req.APIKey, now, &s.options)
	if !c.account.takeRequestToken(now, &s.options) {
		return failure(http.StatusTooManyRequests, "request tokens used up").retryAfter(1)
	}
	c.token = "eyJ" + rand.Text()
	s.state.tokens[c.token] = issuedToken{key: req.APIKey, expires: now.Add(s.options.TokenTTL)}
	r := success(wireOwner{c.account.id, "owner_" + c.account.id})
	r.enveloped = true
	return r
}

func (s *Simulator) knowsKey(key string) bool {
	o := &s.options
	return slices.Contains(o.APIKeys, key) || len(o.Tokens)+len(o.APIKeys) == 0
}
