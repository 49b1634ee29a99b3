package write

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// After an add lost its answer, its conference's list is read every searchInterval for
// searchTimeout, unless Options has another (A1).
const (
	searchTimeout  = 10 * time.Second
	searchInterval = time.Second
)

// reconcile looks for the participant of an add that lost its answer in the conference's
// lists. It returns at the first list that proves which one it is. If none does, it reads
// lists until the timeout, even when no list can prove it any more: a later equal add must
// not get a participant that this add may have created.
func (w *Writer) reconcile(
	ctx context.Context, upstream Upstream, op *addOperation, record Record, cause error,
) (participant.Item, *apierror.Error) {
	ctx, span := requestctx.StartSpan(ctx, "reconcile add")
	w.log.LogAttrs(ctx, slog.LevelWarn, "add lost its answer", attributes(op, cause)...)
	item, found := w.search(ctx, upstream, op, newMatcher(w.compare, op.add, w.sentAt(op), record))
	if !found {
		w.log.LogAttrs(ctx, slog.LevelWarn, "add has an unknown outcome", attributes(op, cause)...)
		unknown := outcomeUnknown(cause)
		requestctx.EndSpan(span, unknown)
		return participant.Item{}, unknown
	}
	requestctx.SetID(span, "participant_id", item.ID)
	requestctx.EndSpan(span, nil)
	record.Done(participant.Write{Kind: participant.WriteAdd, Item: item})
	w.log.LogAttrs(ctx, slog.LevelInfo, "add was found in a list",
		slog.String("conference_id", op.request.key.Conference),
		slog.String("participant_id", item.ID))
	return item, nil
}

// search reads lists until one proves which participant the operation created.
func (w *Writer) search(ctx context.Context, upstream Upstream, op *addOperation, m matcher) (participant.Item, bool) {
	ctx, cancel := context.WithTimeout(ctx, w.searchTimeout)
	defer cancel()
	var found evidence
	for {
		next := time.Now().Add(searchInterval)
		list, err := upstream.ListToReconcile(ctx, op.request.key.Conference)
		if err == nil && found.add(list, m) {
			if item, ok := w.identify(ctx, op, found.candidates); ok {
				return item, true
			}
		}
		if !sleep(ctx, time.Until(next)) {
			return w.conclude(ctx, op, found)
		}
	}
}

// conclude decides after the timeout. If no list was complete, the incomplete ones decide.
func (w *Writer) conclude(ctx context.Context, op *addOperation, found evidence) (participant.Item, bool) {
	if !found.complete {
		if item, ok := w.identify(ctx, op, found.incomplete); ok {
			return item, true
		}
	}
	w.leaveUnresolved(op, slices.Concat(found.candidates, found.incomplete))
	return participant.Item{}, false
}

// evidence contains the candidates for an add in the lists so far.
type evidence struct {
	// complete is true if a complete list was read; candidates are those of the last one.
	complete   bool
	candidates []participant.Item
	// incomplete are the candidates of all incomplete lists.
	incomplete []participant.Item
}

// add adds the candidates of a list, and reports whether the list is complete. An incomplete
// list proves who is there (W7), but not that nobody else is.
func (e *evidence) add(list participant.List, m matcher) bool {
	candidates := m.matching(list.Items)
	if list.Complete() {
		e.complete, e.candidates = true, candidates
		return true
	}
	for _, item := range candidates {
		e.incomplete = slices.DeleteFunc(e.incomplete, func(other participant.Item) bool { return other.ID == item.ID })
	}
	e.incomplete = append(e.incomplete, candidates...)
	return false
}

// identify decides which candidate the operation created, and claims it in the same step. An
// unresolved competitor may still claim a candidate, so identify waits for it. Without one,
// two candidates can never be distinguished.
func (w *Writer) identify(ctx context.Context, op *addOperation, candidates []participant.Item) (participant.Item, bool) {
	if claim := w.claimOf(op); claim != nil {
		return w.identifyShared(ctx, op, claim, candidates)
	}
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
	for _, item := range candidates {
		op.candidates = append(op.candidates, item.ID)
	}
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

func newMatcher(compare comparison, add participant.Add, sentAt time.Time, record Record) matcher {
	// The upstream reports joined_at in whole seconds.
	m := matcher{compare: compare, add: add, sentAt: sentAt.Truncate(time.Second)}
	if wasListed, fresh := record.Before(); fresh {
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
