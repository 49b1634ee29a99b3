// Package oidc admits callers by the tokens of an OpenID Connect issuer (--auth=oidc):
// JWTs that it signed for this gateway's audience, and whose claims name the caller and
// its role.
package oidc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/redact"
)

// Options say whose tokens admit, and how they are read.
type Options struct {
	// Issuer is the URL that tokens name as iss, below which the issuer describes itself.
	Issuer string
	// Audience must be among the token's aud.
	Audience string
	// RoleClaim is the claim that holds the role.
	RoleClaim string
	// Logger gets what is wrong with the issuer; nil discards it.
	Logger *slog.Logger
}

// Authenticator admits the callers of an issuer.
type Authenticator struct {
	issuer    *issuer
	config    oidc.Config
	roleClaim string
}

// algorithms are those of key pairs. With a shared secret (HS256) whoever can check a
// token could make one, and none is no signature.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// New returns the policy. The issuer is first asked when a call needs it, so that the
// gateway starts while the issuer is down.
func New(options Options) *Authenticator {
	config := oidc.Config{ClientID: options.Audience}
	for _, algorithm := range algorithms {
		config.SupportedSigningAlgs = append(config.SupportedSigningAlgs, string(algorithm))
	}
	logger := cmp.Or(options.Logger, slog.New(slog.DiscardHandler))
	return &Authenticator{issuer: newIssuer(options.Issuer, logger), config: config, roleClaim: options.RoleClaim}
}

var _ access.Authenticator = (*Authenticator)(nil)

// maxToken is far above what issuers make, and bounds what a stranger can have parsed.
const maxToken = 16 << 10

// Admit judges the token: its signature, issuer, audience, and times. Until exp it is
// valid, not a second longer; nbf may be up to five minutes ahead of our clock.
func (p *Authenticator) Authenticate(ctx context.Context, presented access.Credentials) (access.Caller, error) {
	token, err := presented.RequireSecret("a token")
	if err != nil {
		return access.Caller{}, err
	}
	if len(token) > maxToken {
		return access.Caller{}, invalid(fmt.Errorf("the token is longer than %d bytes", maxToken))
	}
	verified, err := p.verify(ctx, token)
	if err != nil {
		return access.Caller{}, err
	}
	caller, err := p.callerOf(verified)
	if err != nil {
		return access.Caller{}, invalid(err)
	}
	return caller, nil
}

func (p *Authenticator) verify(ctx context.Context, token redact.Secret) (*oidc.IDToken, error) {
	asked := &askedKeys{KeySet: p.issuer}
	verified, err := oidc.NewVerifier(p.issuer.url, asked, &p.config).Verify(ctx, token.Reveal())
	if err == nil {
		return verified, nil
	}
	if asked.outage != nil {
		return nil, unavailable(ctx, asked.outage)
	}
	if _, isExpired := errors.AsType[*oidc.TokenExpiredError](err); isExpired {
		return nil, access.ExpiredError(err)
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
	return &apierror.Error{
		Reason:  apierror.CredentialInvalid,
		Message: "the token is not valid here",
		Cause:   cause,
	}
}

// retryAfter is when an issuer that was down is asked again.
const retryAfter = 2 * time.Second

// unavailable says why a token cannot be judged: the call ended first, or the issuer's
// keys cannot be had.
func unavailable(ctx context.Context, cause error) error {
	e := &apierror.Error{
		Reason:     apierror.IssuerUnavailable,
		Message:    "the keys of the issuer of tokens cannot be read now, so this token cannot be judged",
		RetryAfter: retryAfter,
		Cause:      errors.New(cut(cause.Error())),
	}
	_, isMismatch := errors.AsType[*oidc.IssuerMismatchError](cause)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Reason, e.RetryAfter = apierror.DeadlineExceeded, 0
		e.Message = "the deadline ended while the issuer of tokens was awaited"
	case ctx.Err() != nil:
		e.Reason, e.RetryAfter = apierror.Cancelled, 0
		e.Message = "the call was cancelled while the issuer of tokens was awaited"
	case isMismatch:
		e.Reason = apierror.IssuerMismatch
		e.Message = "the issuer of tokens calls itself by another name than --oidc-issuer, so no token can be judged"
	}
	return e
}

// maxCause bounds what the log gets of an error that may quote the issuer's answer.
const maxCause = 300

func cut(text string) string { return strings.ToValidUTF8(text[:min(len(text), maxCause)], "") }
