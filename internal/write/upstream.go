package write

import (
	"context"

	"github.com/audian/participant-gateway/internal/participant"
)

// Upstream is the account that writes go to. Its errors are *participant.Error
// where the upstream or the account itself had something to say.
type Upstream interface {
	// Add waits for its turn among the account's adds (A3), calls sending just
	// before the request leaves, and sends it once. It calls sending on its own
	// goroutine, and sends nothing if ctx has ended when sending returns. Until then
	// ctx tells the deadline of whoever waits, which may move; afterwards that of
	// the request itself.
	Add(ctx context.Context, conference string, add participant.Add, sending func()) (participant.Item, error)
	// Remove sends once.
	Remove(ctx context.Context, conference, id string) error
	// ListAhead reads the roster for A1, before other lists of the account.
	ListAhead(ctx context.Context, conference string) (participant.List, error)
}

// Recorder hands writes through to the feed that shows them, if there is one.
type Recorder interface {
	// Begin is called just before a write is sent.
	Begin(key participant.Key) Ticket
}

// Ticket is one write under way, one for each time that it is sent. It ends with
// exactly one call of Done or Drop.
type Ticket interface {
	// Before tells who was in the feed's roster when the write began; fresh is false
	// where there was no feed, or a stale one.
	Before() (has func(id string) bool, fresh bool)
	// Done tells the feed that the upstream answered with success, or that A1 found
	// the participant.
	Done(w participant.Write)
	// Drop tells the feed that nothing is known to have been written.
	Drop()
}
