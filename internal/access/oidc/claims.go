package oidc

import (
	"errors"
	"fmt"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/audian/participant-gateway/internal/access"
)

// conferencesClaim holds the ids of the conferences that the caller may use. Where it
// is missing, these are all.
const conferencesClaim = "conferences"

// callerOf reads who calls, and what it may, from a token that was verified.
func (p *Authenticator) callerOf(token *oidc.IDToken) (access.Caller, error) {
	if !fitName(token.Subject) {
		return access.Caller{}, errors.New("claim sub: must be 1 to 128 printable ASCII characters without spaces")
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return access.Caller{}, fmt.Errorf("read the claims: %w", err)
	}
	conferences, err := conferencesOf(claims)
	if err != nil {
		return access.Caller{}, err
	}
	rights := access.Rights{Role: roleOf(claims[p.roleClaim]), Conferences: conferences}
	return access.Caller{Name: token.Subject, Grant: access.NewGrantUntil(rights, token.Expiry)}, nil
}

// maxName bounds what a token may put into every line of the log.
const maxName = 128

func fitName(name string) bool {
	isStrange := func(char rune) bool { return char <= ' ' || char > '~' }
	return name != "" && len(name) <= maxName && !strings.ContainsFunc(name, isStrange)
}

// roleOf is the greatest role among the words of a claim, a string or an array of them.
// Words that are no role of ours are others' business.
func roleOf(claim any) access.Role {
	words, isArray := claim.([]any)
	if !isArray {
		words = []any{claim}
	}
	greatest := access.NoRole
	for _, word := range words {
		text, _ := word.(string)
		role, _ := access.ParseRole(text)
		greatest = max(greatest, role)
	}
	return greatest
}

// conferencesOf is nil where the claim is missing. One that is there and cannot be read
// must not be taken for a missing one, which grants all.
func conferencesOf(claims map[string]any) ([]string, error) {
	claim, limited := claims[conferencesClaim]
	if !limited {
		return nil, nil
	}
	values, isArray := claim.([]any)
	if !isArray {
		return nil, fmt.Errorf("claim %s: must be an array of ids", conferencesClaim)
	}
	conferences := make([]string, 0, len(values))
	for _, value := range values {
		id, isText := value.(string)
		if !isText {
			return nil, fmt.Errorf("claim %s: must hold ids alone", conferencesClaim)
		}
		conferences = append(conferences, id)
	}
	return conferences, nil
}
