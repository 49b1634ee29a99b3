// Package access authenticates callers and holds their rights, for every transport.
//
// An Authenticator identifies the caller by the credentials of the call. The Caller
// has a Grant: calls are authorized once, streams for as long as they last (W19).
// Packages keys and oidc contain two authenticators.
package access

import (
	"context"

	"github.com/audian/participant-gateway/internal/redact"
)

// Caller is an authenticated caller.
type Caller struct {
	// Name identifies the caller in the log, in limits and in request ids (A2).
	Name string
	// Anonymous is true if all callers share the name.
	Anonymous bool
	// Token is the caller's own upstream token with --auth=passthrough.
	Token redact.Secret
	// Grant is what the caller may do; nil grants nothing.
	Grant *Grant
	// SeesNumbers reports whether the call may show phone numbers in full (A13). It is
	// decided once, when the call is authorized.
	SeesNumbers bool
}

// Authenticator identifies callers.
type Authenticator interface {
	// Authenticate returns the caller with these credentials. Its error is UNAUTHENTICATED
	// for wrong credentials, and UNAVAILABLE if they cannot be checked now.
	Authenticate(ctx context.Context, credentials Credentials) (Caller, error)
}

// NoAuth accepts every caller with all rights (--auth=none).
type NoAuth struct{ grant *Grant }

// NewNoAuth returns the authenticator of --auth=none.
func NewNoAuth() *NoAuth { return &NoAuth{grant: NewGrant(AllRights())} }

// Authenticate names callers by their client certificate, and ignores other credentials.
func (a *NoAuth) Authenticate(_ context.Context, credentials Credentials) (Caller, error) {
	if credentials.Peer != "" {
		return Caller{Name: credentials.Peer, Grant: a.grant}, nil
	}
	return Caller{Name: "anonymous", Anonymous: true, Grant: a.grant}, nil
}

type callerKey struct{}

// NewContext returns a context with the caller of a call.
func NewContext(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// FromContext returns the caller of a call.
func FromContext(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller
}
