// Package access tells who calls and what they may, whatever door they came by.
package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"strings"

	"github.com/audian/participant-gateway/internal/participant"
)

// Credential is what a caller presents: an Audian token or a key. It is a secret, and
// prints and logs as one.
type Credential string

// String hides the secret.
func (Credential) String() string { return "[redacted]" }

// GoString hides the secret.
func (Credential) GoString() string { return "[redacted]" }

// LogValue hides the secret.
func (Credential) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Reveal gives the secret itself, for the upstream.
func (c Credential) Reveal() string { return string(c) }

// Caller is who calls.
type Caller struct {
	// Name is for the log and for telling callers apart (A2).
	Name string
	// Token is the caller's own upstream token, where it is to be passed through.
	Token Credential
}

// Policy decides who may call.
type Policy interface {
	// Admit tells who calls with these headers.
	Admit(ctx context.Context, presented Presented) (Caller, error)
}

// Everybody admits all, whatever they present (--auth=none).
type Everybody struct{}

// Admit ignores what is presented.
func (Everybody) Admit(context.Context, Presented) (Caller, error) {
	return Caller{Name: "anonymous"}, nil
}

// Passthrough admits whoever presents an upstream token, and has the upstream judge it
// (--auth=passthrough).
type Passthrough struct{ key [32]byte }

// NewPassthrough returns the policy with a key of its own for this process.
func NewPassthrough() *Passthrough {
	var p Passthrough
	// Read never fails: the runtime ends the process instead.
	_, _ = rand.Read(p.key[:])
	return &p
}

// Admit refuses only those without a token.
func (p *Passthrough) Admit(_ context.Context, presented Presented) (Caller, error) {
	token, err := presented.Credential()
	if err != nil {
		return Caller{}, err
	}
	if token == "" {
		return Caller{}, &participant.Error{
			Reason:  participant.CredentialMissing,
			Message: "an upstream token is needed, as X-Auth-Token or Authorization: Bearer",
		}
	}
	return Caller{Name: p.name(token), Token: token}, nil
}

// nameBytes of a keyed hash tell callers apart, and tell nothing of the token.
const nameBytes = 8

func (p *Passthrough) name(token Credential) string {
	hash := hmac.New(sha256.New, p.key[:])
	hash.Write([]byte(token))
	return "token-" + hex.EncodeToString(hash.Sum(nil)[:nameBytes])
}

// Presented is what a call carries that may tell who calls: the values of its
// Authorization and X-Auth-Token headers, or of the gRPC metadata of these names.
type Presented struct {
	Authorization []string
	AuthToken     []string
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
			return "", &participant.Error{
				Reason:  participant.CredentialsDiffer,
				Message: "the call carries two differing credentials",
			}
		}
		one = value
	}
	return Credential(one), nil
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

type callerKey struct{}

// With notes the caller in a call's context.
func With(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// From gives the caller of a call.
func From(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller
}
