package access

import (
	"context"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Grant is what a caller was granted, for as long as it lasts: it may expire, be
// changed, or be withdrawn, and the streams that are held to it end with it (W19).
type Grant struct {
	// expires is zero where the grant has no end set.
	expires time.Time

	mu     sync.Mutex
	rights Rights
	// over is why nothing is granted any more; nil while something is.
	over error
	held map[*holding]struct{}
}

// holding is a stream that needs the grant to go on.
type holding struct {
	need Need
	end  context.CancelCauseFunc
}

// NewGrant grants rights until they are changed or withdrawn.
func NewGrant(rights Rights) *Grant { return NewGrantUntil(rights, time.Time{}) }

// NewGrantUntil grants rights until a time.
func NewGrantUntil(rights Rights, expires time.Time) *Grant {
	return &Grant{rights: rights, expires: expires, held: map[*holding]struct{}{}}
}

// Allow tells why a need is not granted now, nil where it is.
func (g *Grant) Allow(need Need) error {
	if g == nil {
		return Rights{}.Allow(need)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.allow(need)
}

func (g *Grant) allow(need Need) error {
	if g.over != nil {
		return g.over
	}
	return g.rights.Allow(need)
}

// Bound gives a stream's context one end more: when its need is granted no longer.
// The cause is a apierror.Error then.
func (g *Grant) Bound(ctx context.Context, need Need) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	if g == nil {
		end(g.Allow(need))
		return ctx, func() { end(nil) }
	}
	stream := &holding{need: need, end: end}
	g.mu.Lock()
	g.held[stream] = struct{}{}
	stream.judge(g)
	g.mu.Unlock()
	stopTimer := g.expiryTimer(end)
	return ctx, func() {
		stopTimer()
		end(nil)
		g.mu.Lock()
		delete(g.held, stream)
		g.mu.Unlock()
	}
}

// judge ends the stream unless its need is granted. The caller holds the grant's mu.
func (h *holding) judge(g *Grant) {
	if err := g.allow(h.need); err != nil {
		h.end(err)
	}
}

func (g *Grant) expiryTimer(end context.CancelCauseFunc) (stop func()) {
	if g.expires.IsZero() {
		return func() {}
	}
	timer := time.AfterFunc(time.Until(g.expires), func() { end(Expired(nil)) })
	return func() { timer.Stop() }
}

// Expired is the error of a credential that was valid until some time ago.
func Expired(cause error) *apierror.Error {
	return &apierror.Error{
		Reason:  apierror.CredentialExpired,
		Message: "the token has expired; call again with a new one",
		Cause:   cause,
	}
}

// Change grants other rights in place of those before. Streams whose need is among
// both go on.
func (g *Grant) Change(rights Rights) { g.update(func() { g.rights = rights }) }

// Withdraw takes the grant away, for a reason.
func (g *Grant) Withdraw(why *apierror.Error) { g.update(func() { g.over = why }) }

func (g *Grant) update(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
	for stream := range g.held {
		stream.judge(g)
	}
}
