package oidc

import (
	"errors"
	"fmt"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/audian/participant-gateway/internal/access"
)

// conferencesClaim contains the ids of the conferences that the caller may use. Without it
// the caller may use all.
const conferencesClaim = "conferences"

// callerOf returns the caller and its rights from a verified token.
func (a *Authenticator) callerOf(token *oidc.IDToken) (access.Caller, error) {
	if !isValidName(token.Subject) {
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
	rights := access.Rights{Role: roleOf(claims[a.roleClaim]), Conferences: conferences}
	return access.Caller{Name: token.Subject, Grant: access.NewGrantUntil(rights, token.Expiry)}, nil
}

// maxName limits the name in every line of the log.
const maxName = 128

func isValidName(name string) bool {
	isInvalid := func(char rune) bool { return char <= ' ' || char > '~' }
	return name != "" && len(name) <= maxName && !strings.ContainsFunc(name, isInvalid)
}

// roleOf returns the greatest role in a claim, a string or an array of strings. It ignores
// unknown roles, which may belong to other services.
func roleOf(claim any) access.Role {
	values, isArray := claim.([]any)
	if !isArray {
		values = []any{claim}
	}
	greatest := access.NoRole
	for _, value := range values {
		name, _ := value.(string)
		role, _ := access.ParseRole(name)
		greatest = max(greatest, role)
	}
	return greatest
}

// conferencesOf returns nil, which grants all, only if the claim is missing. An invalid
// claim is an error.
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
			return nil, fmt.Errorf("claim %s: must contain only ids", conferencesClaim)
		}
		conferences = append(conferences, id)
	}
	return conferences, nil
}
