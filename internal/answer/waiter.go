// Package answer waits for the outcome of a phone call that an add started (A11).
package answer

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

const (
	// longest is how long a call waits, from its start: longer than the 60 s that the
	// upstream takes to connect, and less than the default deadline.
	longest = 70 * time.Second
	// A response needs time to arrive: the wait ends before the deadline by a fifth of the
	// time that is left, but at most by maxMargin.
	marginShare = 5
	maxMargin   = 500 * time.Millisecond
	// recheckInterval is how often a wait looks for lists that do not contain the
	// participant. They are no change of the roster if it never contained them either.
	recheckInterval = time.Second
)

// Waiter waits for phone calls. It reads the conference's feed like a watcher, and causes no
// list of its own.
type Waiter struct {
	hub *feed.Hub
	// draining is closed when the gateway shuts down.
	draining <-chan struct{}
}

// New returns a Waiter that answers all calls at once when draining is closed.
func New(hub *feed.Hub, draining <-chan struct{}) *Waiter {
	return &Waiter{hub: hub, draining: draining}
}

// Call is a phone call: the participant as the upstream's response to the add contained them,
// and when that response arrived.
type Call struct {
	Account     feed.Account
	Participant participant.Participant
	AnsweredAt  time.Time
}

// Until returns when a call that began at start stops waiting: after longest, or just before
// the deadline of ctx.
func Until(ctx context.Context, start time.Time) time.Time {
	until := start.Add(longest)
	deadline, has := ctx.Deadline()
	if !has {
		return until
	}
	margin := min(time.Until(deadline)/marginShare, maxMargin)
	if before := deadline.Add(-margin); before.Before(until) {
		return before
	}
	return until
}

// Wait returns the participant when the phone call is no longer being set up. It returns the
// participant as last known when they leave the roster, the feed ends or cannot be had, the
// gateway drains, or at until. It fails only if ctx ends.
func (w *Waiter) Wait(ctx context.Context, call Call, until time.Time) (participant.Participant, error) {
	if !ringing(call.Participant) || w.isDraining() || !time.Now().Before(until) {
		return call.Participant, nil
	}
	source, release, err := w.hub.Acquire(ctx, call.Account, call.Participant.ConferenceID)
	if err != nil {
		return call.Participant, nil // The add succeeded; only its outcome cannot be watched.
	}
	defer release()
	return w.follow(ctx, source, newTracker(call), until)
}

func (w *Waiter) isDraining() bool {
	select {
	case <-w.draining:
		return true
	default:
		return false
	}
}

// follow reads the feed's states until the tracker has an outcome.
func (w *Waiter) follow(
	ctx context.Context, source *feed.Feed, t *tracker, until time.Time,
) (participant.Participant, error) {
	limit := time.NewTimer(time.Until(until))
	defer limit.Stop()
	recheck := time.NewTicker(recheckInterval)
	defer recheck.Stop()
	for expired := false; ; {
		state := source.State()
		if t.update(state) || expired || state.End != nil {
			return t.latest, nil
		}
		if t.listed {
			recheck.Stop()
		}
		select {
		case <-state.Changed():
		case <-recheck.C:
		case <-limit.C:
			expired = true
		case <-w.draining:
			expired = true
		case <-ctx.Done():
			return t.latest, ctx.Err()
		}
	}
}
