package access

import (
	"context"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/policy"
)

// Grant is the rights of a caller, which may expire, change, or be revoked. Streams that
// lose their permission end (W19).
type Grant struct {
	// expires is zero if the grant does not expire.
	expires time.Time

	mu     sync.Mutex
	rights Rights
	// revoked is the reason of a revoked grant, else nil.
	revoked error
	streams map[*stream]struct{}
}

// stream is an open stream that needs a permission of the grant.
type stream struct {
	permission Permission
	end        func(error)
}

// NewGrant returns a grant that does not expire.
func NewGrant(rights Rights) *Grant { return NewGrantUntil(rights, time.Time{}) }

// NewGrantUntil returns a grant that expires at a time.
func NewGrantUntil(rights Rights, expires time.Time) *Grant {
	return &Grant{rights: rights, expires: expires, streams: map[*stream]struct{}{}}
}

// Authorize returns an error unless the grant includes the permission now.
func (g *Grant) Authorize(permission Permission) error {
	if g == nil {
		return Rights{}.Authorize(permission)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.authorize(permission)
}

// authorize is Authorize with mu held.
func (g *Grant) authorize(permission Permission) error {
	if g.revoked != nil {
		return g.revoked
	}
	return g.rights.Authorize(permission)
}

// Role returns the role that the grant includes now.
func (g *Grant) Role() Role {
	if g == nil {
		return NoRole
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rights.Role
}

// Calling returns the calling policy of the caller now.
func (g *Grant) Calling() policy.Rules {
	if g == nil {
		return policy.Rules{}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rights.Calling
}

// StreamContext returns a context for a stream that ends when the grant no longer
// includes the permission. Its cause is an *apierror.Error then.
func (g *Grant) StreamContext(ctx context.Context, permission Permission) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	leave := g.OpenStream(permission, cancel)
	return ctx, func() {
		cancel(nil)
		leave()
	}
}

// OpenStream has end called once the grant no longer includes the permission, with an
// *apierror.Error, until leave is called. The grant may be locked then: end must not call it.
func (g *Grant) OpenStream(permission Permission, end func(error)) (leave func()) {
	if g == nil {
		end(g.Authorize(permission))
		return func() {}
	}
	opened := &stream{permission: permission, end: end}
	g.mu.Lock()
	g.streams[opened] = struct{}{}
	g.check(opened)
	g.mu.Unlock()
	stopTimer := g.expiryTimer(end)
	return func() {
		stopTimer()
		g.mu.Lock()
		delete(g.streams, opened)
		g.mu.Unlock()
	}
}

// check ends a stream without permission. The caller holds mu.
func (g *Grant) check(s *stream) {
	if err := g.authorize(s.permission); err != nil {
		s.end(err)
	}
}

func (g *Grant) expiryTimer(end func(error)) (stop func()) {
	if g.expires.IsZero() {
		return func() {}
	}
	timer := time.AfterFunc(time.Until(g.expires), func() { end(ExpiredError(nil)) })
	return func() { timer.Stop() }
}

// ExpiredError returns the error of a credential that has expired.
func ExpiredError(cause error) *apierror.Error {
	return &apierror.Error{
		Reason:  apierror.CredentialExpired,
		Message: "the token has expired; call again with a new one",
		Cause:   cause,
	}
}

// SetRights replaces the rights, and ends the streams that the new ones do not allow.
func (g *Grant) SetRights(rights Rights) { g.update(func() { g.rights = rights }) }

// Revoke ends all streams of the grant with the reason, and authorizes nothing more.
func (g *Grant) Revoke(reason *apierror.Error) { g.update(func() { g.revoked = reason }) }

func (g *Grant) update(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
	for opened := range g.streams {
		g.check(opened)
	}
}
