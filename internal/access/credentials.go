package access

import (
	"strings"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/redact"
)

// Credentials are what a call presents: the values of its Authorization and X-Auth-Token
// headers, or of the gRPC metadata with these names, and its client certificate.
type Credentials struct {
	Authorization []string
	AuthToken     []string
	// Peer is the name in the verified client certificate; empty without one.
	Peer string
}

// Secret returns the token or key that the call presents, empty without one. Two
// different ones are an error: it is unknown which one the caller means.
func (c Credentials) Secret() (redact.Secret, error) {
	var found string
	for _, value := range append(bearerTokens(c.Authorization), c.AuthToken...) {
		value = strings.TrimSpace(value)
		if value == "" || value == found {
			continue
		}
		if found != "" {
			return "", &apierror.Error{
				Reason:  apierror.CredentialsDiffer,
				Message: "the call carries two different credentials",
			}
		}
		found = value
	}
	return redact.Secret(found), nil
}

// RequireSecret returns the token or key that the call presents, and an error without
// one. kind names it in the error.
func (c Credentials) RequireSecret(kind string) (redact.Secret, error) {
	secret, err := c.Secret()
	if err == nil && secret == "" {
		return "", &apierror.Error{
			Reason:  apierror.CredentialMissing,
			Message: kind + " is required, as Authorization: Bearer or X-Auth-Token",
		}
	}
	return secret, err
}

// bearerTokens returns the tokens of the Bearer scheme and ignores other schemes.
func bearerTokens(authorization []string) []string {
	var tokens []string
	for _, value := range authorization {
		scheme, token, _ := strings.Cut(strings.TrimSpace(value), " ")
		if strings.EqualFold(scheme, "bearer") {
			tokens = append(tokens, token)
		}
	}
	return tokens
}
