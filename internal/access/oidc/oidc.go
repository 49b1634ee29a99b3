// Package oidc authenticates callers by tokens of an OpenID Connect issuer (--auth=oidc):
// JWTs for the audience of the gateway, with claims for the caller's name and role.
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

// Options configure the accepted tokens.
type Options struct {
	// Issuer is the iss of the tokens, and the base URL of the issuer's discovery document.
	Issuer string
	// Audience must be among the token's aud.
	Audience string
	// RoleClaim is the claim with the role.
	RoleClaim string
	// Logger logs unusable keys of the issuer; nil discards the log.
	Logger *slog.Logger
}

// Authenticator authenticates the callers of an issuer.
type Authenticator struct {
	issuer    *issuer
	config    oidc.Config
	roleClaim string
}

// algorithms are the accepted ones, all with key pairs. With a shared secret (HS256) every
// verifier could sign tokens, and "none" has no signature.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// New returns the authenticator. The first call fetches the keys of the issuer, so the
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

// maxToken is far above the size of usual tokens, and limits the work of parsing.
const maxToken = 16 << 10

// Authenticate checks the signature, issuer, audience and times of the token. exp has no
// leeway; nbf may be up to five minutes ahead of our clock.
func (a *Authenticator) Authenticate(ctx context.Context, credentials access.Credentials) (access.Caller, error) {
	token, err := credentials.RequireSecret("a token")
	if err != nil {
		return access.Caller{}, err
	}
	if len(token) > maxToken {
		return access.Caller{}, invalid(fmt.Errorf("the token is longer than %d bytes", maxToken))
	}
	verified, err := a.verify(ctx, token)
	if err != nil {
		return access.Caller{}, err
	}
	caller, err := a.callerOf(verified)
	if err != nil {
		return access.Caller{}, invalid(err)
	}
	return caller, nil
}

func (a *Authenticator) verify(ctx context.Context, token redact.Secret) (*oidc.IDToken, error) {
	keys := &recordingKeySet{KeySet: a.issuer}
	verified, err := oidc.NewVerifier(a.issuer.url, keys, &a.config).Verify(ctx, token.Reveal())
	if err == nil {
		return verified, nil
	}
	if keys.outage != nil {
		return nil, unavailable(ctx, keys.outage)
	}
	if _, isExpired := errors.AsType[*oidc.TokenExpiredError](err); isExpired {
		return nil, access.ExpiredError(err)
	}
	return nil, invalid(err)
}

// recordingKeySet records an outage of the issuer, which the verifier's error does not
// include.
type recordingKeySet struct {
	oidc.KeySet

	outage error
}

// VerifySignature implements oidc.KeySet.
func (k *recordingKeySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, token)
	if _, isOutage := errors.AsType[*outageError](err); isOutage {
		k.outage = err
	}
	return payload, err //nolint:wrapcheck // The verifier wraps.
}

func invalid(cause error) error {
	return &apierror.Error{
		Reason:  apierror.CredentialInvalid,
		Message: "the token is not valid",
		Cause:   cause,
	}
}

// retryAfter is the delay that a caller waits while the issuer is down.
const retryAfter = 2 * time.Second

// unavailable returns the error for a token that cannot be checked: the call ended first,
// or the issuer's keys cannot be fetched.
func unavailable(ctx context.Context, cause error) error {
	e := &apierror.Error{
		Reason:     apierror.IssuerUnavailable,
		Message:    "the token cannot be checked now: fetching the keys of its issuer failed",
		RetryAfter: retryAfter,
		Cause:      errors.New(truncate(cause.Error())),
	}
	_, isMismatch := errors.AsType[*oidc.IssuerMismatchError](cause)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Reason, e.RetryAfter = apierror.DeadlineExceeded, 0
		e.Message = "the deadline ended while the gateway waited for the issuer of tokens"
	case ctx.Err() != nil:
		e.Reason, e.RetryAfter = apierror.Cancelled, 0
		e.Message = "the call was cancelled while the gateway waited for the issuer of tokens"
	case isMismatch:
		e.Reason = apierror.IssuerMismatch
		e.Message = "the issuer of tokens has another name than --oidc-issuer, so no token can be checked"
	}
	return e
}

// maxCause limits an error in the log, since it may quote the issuer's response.
const maxCause = 300

func truncate(text string) string { return strings.ToValidUTF8(text[:min(len(text), maxCause)], "") }
