package access

import (
	"log/slog"
	"strings"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Credential is what a caller presents: an Audian token, a key, or a JWT. It is a
// secret, and prints and logs as one.
type Credential string

const redacted = "[redacted]"

// String hides the secret.
func (Credential) String() string { return redacted }

// GoString hides the secret.
func (Credential) GoString() string { return redacted }

// LogValue hides the secret.
func (Credential) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret from encoders.
func (Credential) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Reveal gives the secret itself, for the upstream or for whoever judges it.
func (c Credential) Reveal() string { return string(c) }

// Presented is what a call carries that may tell who calls: the values of its
// Authorization and X-Auth-Token headers, or of the gRPC metadata of these names.
type Presented struct {
	Authorization []string
	AuthToken     []string
	// Peer is the name in the client's certificate, which was verified; empty where
	// none was asked for.
	Peer string
}

// Credential gives the one credential presented, empty where there is none. Two that
// differ are refused: one of them is not what the caller means.
func (p Presented) Credential() (Credential, error) {
	var one string
	for _, value := range append(bearers(p.Authorization), p.AuthToken...) {
		value = strings.TrimSpace(value)
		if value == "" || value == one {
			continue
		}
		if one != "" {
			return "", &apierror.Error{
				Reason:  apierror.CredentialsDiffer,
				Message: "the call carries two differing credentials",
			}
		}
		one = value
	}
	return Credential(one), nil
}

// Required gives the one credential presented; the lack of what is needed is an error.
func (p Presented) Required(what string) (Credential, error) {
	credential, err := p.Credential()
	if err == nil && credential == "" {
		return "", &apierror.Error{
			Reason:  apierror.CredentialMissing,
			Message: what + " is needed, as Authorization: Bearer or X-Auth-Token",
		}
	}
	return credential, err
}

// bearers gives the tokens of the Bearer scheme; other schemes are not ours.
func bearers(authorization []string) []string {
	var tokens []string
	for _, value := range authorization {
		scheme, token, _ := strings.Cut(strings.TrimSpace(value), " ")
		if strings.EqualFold(scheme, "bearer") {
			tokens = append(tokens, token)
		}
	}
	return tokens
}
