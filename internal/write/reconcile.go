package write

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Lists are read this long, and this far apart, for an add whose answer was lost
// (A1).
const (
	searchFor   = 10 * time.Second
	searchEvery = time.Second
)

// reconcile looks in the conference's lists for the participant of an add whose
// answer was lost. It ends with the first list that proves who that is. Where none
// does it reads on to the end, even when none can any more: an equal add that comes
// later must not be given what this one may have made.
func (w *Writer) reconcile(
	ctx context.Context, upstream Upstream, op *addOperation, ticket Ticket, cause error,
) (participant.Item, *apierror.Error) {
	defer func() { dropOnPanic(ticket, recover()) }()
	w.log.LogAttrs(ctx, slog.LevelWarn, "add lost its answer", attributes(op, cause)...)
	item, found := w.search(ctx, upstream, op, newProfile(w.compare, op, w.sentAt(op), ticket))
	if !found {
		ticket.Drop()
		w.log.LogAttrs(ctx, slog.LevelWarn, "add has an unknown outcome", attributes(op, cause)...)
		return participant.Item{}, outcomeUnknown(cause)
	}
	ticket.Done(participant.Write{Kind: participant.WriteAdd, Item: item})
	w.log.LogAttrs(ctx, slog.LevelInfo, "add was found in a list",
		slog.String("conference_id", op.request.key.Conference),
		slog.String("participant_id", item.ID))
	return item, nil
}

// search reads lists until one proves whom the operation made, or time is up.
func (w *Writer) search(ctx context.Context, upstream Upstream, op *addOperation, p profile) (participant.Item, bool) {
	ctx, cancel := context.WithTimeout(ctx, searchFor)
	defer cancel()
	var seen evidence
	for {
		next := time.Now().Add(searchEvery)
		list, err := upstream.ListAhead(ctx, op.request.key.Conference)
		if err == nil && seen.add(list, p) {
			if item, found := w.identify(op, seen.candidates); found {
				return item, true
			}
		}
		if !sleep(ctx, time.Until(next)) {
			return w.conclude(op, seen)
		}
	}
}

// conclude decides when time is up: where no complete list was read, by what the
// incomplete ones have shown.
func (w *Writer) conclude(op *addOperation, seen evidence) (participant.Item, bool) {
	if !seen.complete {
		if item, found := w.identify(op, seen.shown); found {
			return item, true
		}
	}
	w.leaveUnresolved(op, slices.Concat(seen.candidates, seen.shown))
	return participant.Item{}, false
}

// evidence is what the lists that were read have shown for an add.
type evidence struct {
	// complete reports that a complete list was read, candidates are those of the last.
	complete   bool
	candidates []participant.Item
	// shown are the candidates of all incomplete lists.
	shown []participant.Item
}

// add adds what a list shows, and reports whether the list is complete. One that is not
// still proves who is there (W7), but not that nobody else is.
func (e *evidence) add(list participant.List, p profile) bool {
	candidates := p.among(list.Items)
	if list.Complete() {
		e.complete, e.candidates = true, candidates
		return true
	}
	for _, item := range candidates {
		e.shown = slices.DeleteFunc(e.shown, func(other participant.Item) bool { return other.ID == item.ID })
	}
	e.shown = append(e.shown, candidates...)
	return false
}

// identify decides, in one step with its claim, who of those seen the operation made. A
// competitor that is unresolved may yet claim one of them, so it is waited for; without
// one, two candidates will never be told apart.
func (w *Writer) identify(op *addOperation, seen []participant.Item) (participant.Item, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	free := w.claims.free(op, seen)
	if w.claims.hasCompetitor(op) || len(free) == 0 {
		return participant.Item{}, false
	}
	op.ambiguous = op.ambiguous || len(free) > 1
	if op.ambiguous {
		return participant.Item{}, false
	}
	w.claims.settle(op, free[0].ID)
	return free[0], true
}

func (w *Writer) leaveUnresolved(op *addOperation, seen []participant.Item) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claims.leaveUnresolved(op, seen)
}

func (w *Writer) sentAt(op *addOperation) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return op.sentAt
}

// profile is what is known of the participant that a lost add may have made.
type profile struct {
	compare comparison
	add     participant.Add
	since   time.Time
	// before are those in the roster when the add was sent; nil where no fresh roster
	// was at hand.
	before func(id string) bool
}

func newProfile(compare comparison, op *addOperation, sentAt time.Time, ticket Ticket) profile {
	// The upstream reports joined_at in whole seconds.
	p := profile{compare: compare, add: op.add, since: sentAt.Truncate(time.Second)}
	if before, fresh := ticket.Before(); fresh {
		p.before = before
	}
	return p
}

// among are the items that fit.
func (p profile) among(items []participant.Item) []participant.Item {
	var fitting []participant.Item
	for _, item := range items {
		if p.isNew(item) && p.compare.fits(item, p.add) {
			fitting = append(fitting, item)
		}
	}
	return fitting
}

func (p profile) isNew(item participant.Item) bool {
	if p.before != nil {
		return !p.before(item.ID)
	}
	return item.Status.InFlight() || !item.JoinedAt.Before(p.since)
}
