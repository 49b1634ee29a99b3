package write

import (
	"context"
	"log/slog"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// After an add lost its answer, its conference's list is read every searchInterval for
// searchTimeout (A1).
const (
	searchTimeout  = 10 * time.Second
	searchInterval = time.Second
)

// reconcile looks for the participant of an add that lost its answer in the conference's
// lists. It returns at the first list that proves which one it is. If none does, it reads
// lists until the timeout, even when no list can prove it any more: a later equal add must
// not get a participant that this add may have created.
func (w *Writer) reconcile(
	ctx context.Context, upstream Upstream, op *addOperation, ticket Ticket, cause error,
) (participant.Item, *apierror.Error) {
	w.log.LogAttrs(ctx, slog.LevelWarn, "add lost its answer", attributes(op, cause)...)
	item, found := w.search(ctx, upstream, op, newMatcher(w.compare, op.add, w.sentAt(op), ticket))
	if !found {
		w.log.LogAttrs(ctx, slog.LevelWarn, "add has an unknown outcome", attributes(op, cause)...)
		return participant.Item{}, outcomeUnknown(cause)
	}
	ticket.Done(participant.Write{Kind: participant.WriteAdd, Item: item})
	w.log.LogAttrs(ctx, slog.LevelInfo, "add was found in a list",
		slog.String("conference_id", op.request.key.Conference),
		slog.String("participant_id", item.ID))
	return item, nil
}

// search reads lists until one proves which participant the operation created.
func (w *Writer) search(ctx context.Context, upstream Upstream, op *addOperation, m matcher) (participant.Item, bool) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	var candidates []participant.Item
	for {
		next := time.Now().Add(searchInterval)
		list, err := upstream.ListToReconcile(ctx, op.request.key.Conference)
		if err == nil && list.Complete() {
			candidates = m.matching(list.Items)
			if item, found := w.identify(op, candidates); found {
				return item, true
			}
		}
		if !sleep(ctx, time.Until(next)) {
			w.leaveUnresolved(op, candidates)
			return participant.Item{}, false
		}
	}
}

// identify decides which candidate the operation created, and claims it in the same step. An
// unresolved competitor may still claim a candidate, so identify waits for it. Without one,
// two candidates can never be distinguished.
func (w *Writer) identify(op *addOperation, candidates []participant.Item) (participant.Item, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	unclaimed := w.claims.unclaimed(op, candidates)
	if w.claims.hasCompetitor(op) || len(unclaimed) == 0 {
		return participant.Item{}, false
	}
	op.ambiguous = op.ambiguous || len(unclaimed) > 1
	if op.ambiguous {
		return participant.Item{}, false
	}
	w.claims.assign(op, unclaimed[0].ID)
	return unclaimed[0], true
}

func (w *Writer) leaveUnresolved(op *addOperation, candidates []participant.Item) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claims.leaveUnresolved(op, candidates)
}

func (w *Writer) sentAt(op *addOperation) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return op.sentAt
}

// matcher finds participants that a lost add may have created.
type matcher struct {
	compare comparison
	add     participant.Add
	sentAt  time.Time
	// wasListed reports whether the roster contained an id when the add was sent; nil if
	// there was no fresh roster.
	wasListed func(id string) bool
}

func newMatcher(compare comparison, add participant.Add, sentAt time.Time, ticket Ticket) matcher {
	// The upstream reports joined_at in whole seconds.
	m := matcher{compare: compare, add: add, sentAt: sentAt.Truncate(time.Second)}
	if wasListed, fresh := ticket.Before(); fresh {
		m.wasListed = wasListed
	}
	return m
}

func (m matcher) matching(items []participant.Item) []participant.Item {
	var matching []participant.Item
	for _, item := range items {
		if m.isNew(item) && m.compare.matches(item, m.add) {
			matching = append(matching, item)
		}
	}
	return matching
}

func (m matcher) isNew(item participant.Item) bool {
	if m.wasListed != nil {
		return !m.wasListed(item.ID)
	}
	return item.Status.InFlight() || !item.JoinedAt.Before(m.sentAt)
}
