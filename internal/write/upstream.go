package write

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Upstream is the account that writes go to. Its errors are *apierror.Error
// where the upstream or the account itself had something to say.
type Upstream interface {
	// Reserve queues one add of the conference among the account's adds (A3). It waits
	// at most until ctx ends; an error means that nothing was queued.
	Reserve(ctx context.Context, conference string) (Slot, error)
	// Remove sends once.
	Remove(ctx context.Context, conference, id string) error
	// ListToReconcile reads the roster for A1, before other lists of the account.
	ListToReconcile(ctx context.Context, conference string) (participant.List, error)
}

// Slot is the place of one add in the account's queue, for one request. Its owner ends
// it with Send or Release.
type Slot interface {
	// SetDeadline says by when the request must leave; the zero time sets no bound. It
	// may be called at any time, by any goroutine, and does not block.
	SetDeadline(deadline time.Time)
	// Wait returns nil when the turn of the slot has come. It fails at once when the
	// turn cannot come before the deadline, and when ctx ends.
	Wait(ctx context.Context) error
	// Send sends the add once and returns the answer. ctx bounds the request alone.
	Send(ctx context.Context, add participant.Add) (participant.Item, error)
	// Release gives back a slot that was not sent. After Send it does nothing.
	Release()
}

// Recorder hands writes through to the feed that shows them, if there is one.
type Recorder interface {
	// Begin is called just before a write is sent.
	Begin(key participant.Key) Ticket
}

// Ticket is one write under way, one for each time that it is sent. Done is
// called at most once, and not at all where nothing is known to have been written.
type Ticket interface {
	// Before tells who was in the feed's roster when the write began; fresh is false
	// where there was no feed, or a stale one.
	Before() (has func(id string) bool, fresh bool)
	// Done tells the feed that the upstream answered with success, or that A1 found
	// the participant.
	Done(w participant.Write)
}
