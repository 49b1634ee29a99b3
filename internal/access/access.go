// Package access tells who calls and what they may, whatever door they came by.
//
// A Policy admits a caller by the credential that the call presents. The caller comes
// with a Grant: its rights, which calls are held to when they begin, and streams for
// as long as they last (W19). Packages keys and oidc are policies of their own.
package access

import "context"

// Caller is who calls.
type Caller struct {
	// Name is for the log and for telling callers apart (A2).
	Name string
	// Unnamed says that the name stands for everybody who calls.
	Unnamed bool
	// Token is the caller's own upstream token, where it is to be passed through.
	Token Credential
	// Grant is what the caller may do; nil grants nothing.
	Grant *Grant
}

// Policy decides who may call.
type Policy interface {
	// Admit tells who calls with these headers. Its error is UNAUTHENTICATED where the
	// credential is at fault, and UNAVAILABLE where that cannot be told now.
	Admit(ctx context.Context, presented Presented) (Caller, error)
}

// Everybody admits all, whatever they present, and lets them do all (--auth=none).
type Everybody struct{ grant *Grant }

// NewEverybody returns the policy.
func NewEverybody() *Everybody { return &Everybody{grant: NewGrant(Everything())} }

// Admit ignores credentials. Where client certificates are asked for, they name the
// callers.
func (e *Everybody) Admit(_ context.Context, presented Presented) (Caller, error) {
	if presented.Peer != "" {
		return Caller{Name: presented.Peer, Grant: e.grant}, nil
	}
	return Caller{Name: "anonymous", Unnamed: true, Grant: e.grant}, nil
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
