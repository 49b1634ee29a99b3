// Package oidc admits callers by the tokens of an OpenID Connect issuer (--auth=oidc):
// JWTs that it signed for this gateway's audience, and whose claims name the caller and
// its role.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/participant"
)

// Options say whose tokens admit, and how they are read.
type Options struct {
	// Issuer is the URL that tokens name as iss, below which the issuer describes itself.
	Issuer string
	// Audience must be among the token's aud.
	Audience string
	// RoleClaim is the claim that holds the role.
	RoleClaim string
}

// Policy admits the callers of an issuer.
type Policy struct {
	issuer    *issuer
	config    oidc.Config
	roleClaim string
}

// algorithms are those of key pairs. With a shared secret (HS256) whoever can check a
// token could make one, and none is no signature.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512,
	oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// New returns the policy. The issuer is first asked when a call needs it, so that the
// gateway starts while the issuer is down.
func New(options Options) *Policy {
	return &Policy{
		issuer:    newIssuer(options.Issuer),
		config:    oidc.Config{ClientID: options.Audience, SupportedSigningAlgs: algorithms},
		roleClaim: options.RoleClaim,
	}
}

var _ access.Policy = (*Policy)(nil)

// maxToken is far above what issuers make, and bounds what a stranger can have parsed.
const maxToken = 16 << 10

// Admit judges the token: its signature, issuer, audience, and times. Until exp it is
// valid, not a second longer; nbf may be up to five minutes ahead of our clock.
func (p *Policy) Admit(ctx context.Context, presented access.Presented) (access.Caller, error) {
	token, err := presented.Required("a token")
	if err != nil {
		return access.Caller{}, err
	}
	if len(token) > maxToken {
		return access.Caller{}, invalid(fmt.Errorf("the token is longer than %d bytes", maxToken))
	}
	keys, err := p.issuer.keySet(ctx)
	if err != nil {
		return access.Caller{}, unavailable(ctx, err)
	}
	verified, err := p.verify(ctx, keys, token)
	if err != nil {
		return access.Caller{}, err
	}
	caller, err := p.callerOf(verified)
	if err != nil {
		return access.Caller{}, invalid(err)
	}
	return caller, nil
}

func (p *Policy) verify(ctx context.Context, keys oidc.KeySet, token access.Credential) (*oidc.IDToken, error) {
	asked := &askedKeys{KeySet: keys}
	verified, err := oidc.NewVerifier(p.issuer.url, asked, &p.config).Verify(ctx, token.Reveal())
	if err == nil {
		return verified, nil
	}
	if asked.outage != nil {
		return nil, unavailable(ctx, asked.outage)
	}
	if _, isExpired := errors.AsType[*oidc.TokenExpiredError](err); isExpired {
		return nil, access.Expired(err)
	}
	return nil, invalid(err)
}

// askedKeys remember whether it was for want of the issuer that a signature could not
// be judged, which the verifier does not tell.
type askedKeys struct {
	oidc.KeySet

	outage error
}

// VerifySignature asks the key set.
func (a *askedKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := a.KeySet.VerifySignature(ctx, token)
	if _, isOutage := errors.AsType[*outageError](err); isOutage {
		a.outage = err
	}
	return payload, err //nolint:wrapcheck // The verifier wraps.
}

func invalid(cause error) error {
	return &participant.Error{
		Reason:  participant.CredentialInvalid,
		Message: "the token is not valid here",
		Cause:   cause,
	}
}

// retryAfter is when an issuer that was down is asked again.
const retryAfter = 2 * time.Second

func unavailable(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("wait for the issuer: %w", ctx.Err())
	}
	return &participant.Error{
		Reason:     participant.IssuerUnavailable,
		Message:    "the issuer of tokens cannot be reached, so this one cannot be judged",
		RetryAfter: retryAfter,
		Cause:      errors.New(cut(cause.Error())),
	}
}

// maxCause bounds what the log gets of an error that may quote the issuer's answer.
const maxCause = 300

func cut(text string) string { return strings.ToValidUTF8(text[:min(len(text), maxCause)], "") }
