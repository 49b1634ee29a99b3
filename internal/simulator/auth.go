package simulator

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// issued is a token that was exchanged for a key.
type issued struct {
	key     string
	expires time.Time
}

// credential is what the request brought, in either header.
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

// identify finds the account that the request speaks for.
func (s *Simulator) identify(c *call, now time.Time) bool {
	token := credential(c.request)
	owner, accepted := s.owner(token, now)
	if !accepted {
		return false
	}
	c.token, c.account = token, s.world.account(owner, now, &s.options)
	return true
}

// owner is the static token or the key that a token stands for.
func (s *Simulator) owner(token string, now time.Time) (owner string, accepted bool) {
	o := &s.options
	switch known, isIssued := s.world.tokens[token]; {
	case token == "":
		return "", false
	case isIssued:
		return known.key, now.Before(known.expires)
	case slices.Contains(o.Tokens, token), len(o.Tokens)+len(o.APIKeys) == 0:
		return token, true
	default:
		return token, o.KeysAsTokens && slices.Contains(o.APIKeys, token)
	}
}

// wireExchange is the body of PUT /v2/api_auth.
type wireExchange struct {
	APIKey string `json:"api_key"`
}

// wireOwner is the data of its answer.
type wireOwner struct {
	AccountID string `json:"account_id"`
	OwnerID   string `json:"owner_id"`
}

// exchange gives a short-lived token for an API key.
func (s *Simulator) exchange(c *call, now time.Time) answer {
	var asked wireExchange
	if err := json.Unmarshal(unwrap(c.body), &asked); err != nil || asked.APIKey == "" {
		return refuse(http.StatusBadRequest, "field required: api_key")
	}
	if !s.knowsKey(asked.APIKey) {
		return refuse(http.StatusUnauthorized, "invalid api_key")
	}
	c.account = s.world.account(asked.APIKey, now, &s.options)
	if !c.account.draw(now, &s.options) {
		return refuse(http.StatusTooManyRequests, "request tokens used up").retryAfter(1)
	}
	c.token = "eyJ" + rand.Text()
	s.world.tokens[c.token] = issued{key: asked.APIKey, expires: now.Add(s.options.TokenTTL)}
	a := succeed(wireOwner{c.account.id, "owner_" + c.account.id})
	a.always = true
	return a
}

func (s *Simulator) knowsKey(key string) bool {
	o := &s.options
	return slices.Contains(o.APIKeys, key) || len(o.Tokens)+len(o.APIKeys) == 0
}
