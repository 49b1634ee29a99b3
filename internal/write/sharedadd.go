package write

import (
	"context"
	"errors"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// run returns the outcome of an operation: its own or, with replicas, that of another.
func (w *Writer) run(ctx context.Context, upstream Upstream, op *addOperation) (participant.Item, *apierror.Error) {
	if w.shared == nil {
		return w.send(ctx, upstream, op)
	}
	for {
		claimed, err := w.shared.Claim(ctx, op.shared())
		if err != nil {
			return participant.Item{}, sharedError(ctx, err)
		}
		if claimed.Outcome != nil {
			return w.take(op, *claimed.Outcome)
		}
		w.hold(op, claimed)
		item, failed := w.sendClaimed(ctx, upstream, op, claimed.SentAt)
		if failed == nil || !errors.Is(failed, ErrTakenOver) {
			return w.settle(ctx, op, item, failed)
		}
		w.hold(op, Claimed{})
	}
}

// shared returns the operation as replicas compare it.
func (op *addOperation) shared() SharedAdd {
	return SharedAdd{
		Scope: op.request.scope(), Conference: op.request.key.Conference, Add: op.add,
		Waits: func() { op.leaveQueue(false) },
	}
}

// take makes the outcome of another replica that of the operation.
func (w *Writer) take(op *addOperation, outcome Outcome) (participant.Item, *apierror.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	op.elsewhere = true
	op.setAnsweredAt(outcome.AnsweredAt)
	return outcome.Item, outcome.Err
}

func (w *Writer) hold(op *addOperation, claimed Claimed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	op.claim, op.isMarked = claimed.Claim, false
	if !claimed.SentAt.IsZero() {
		op.elsewhere, op.isMarked, op.sentAt = true, true, claimed.SentAt
		w.claims.open(op)
		op.leaveQueue(true)
	}
}

func (w *Writer) claimOf(op *addOperation) Claim {
	w.mu.Lock()
	defer w.mu.Unlock()
	return op.claim
}

// errSenderGone is the cause of a lost answer that another replica should have got.
var errSenderGone = &apierror.Error{Reason: apierror.AddOutcomeUnknown, Message: "the replica that sent the add is gone"}

func (w *Writer) sendClaimed(
	ctx context.Context, upstream Upstream, op *addOperation, sentAt time.Time,
) (participant.Item, *apierror.Error) {
	if sentAt.IsZero() {
		return w.send(ctx, upstream, op)
	}
	return w.reconcile(ctx, upstream, op, unrecorded{}, errSenderGone)
}

// unrecorded is the record of an add that another replica sent. It makes no event (A2).
type unrecorded struct{}

// Before implements Record.
func (unrecorded) Before() (has func(id string) bool, fresh bool) { return nil, false }

// Done implements Record.
func (unrecorded) Done(participant.Write) {}

// mark marks the claim of an operation as sent.
func (w *Writer) mark(ctx context.Context, op *addOperation) error {
	claim := w.claimOf(op)
	if claim == nil {
		return nil
	}
	if err := claim.Mark(ctx); err != nil {
		return sharedError(ctx, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	op.isMarked = true
	return nil
}

// identifyShared is identify among the adds of all replicas.
func (w *Writer) identifyShared(
	ctx context.Context, op *addOperation, claim Claim, candidates []participant.Item,
) (participant.Item, bool) {
	unclaimed := w.possible(op, candidates)
	ids := make([]string, len(unclaimed))
	for i, item := range unclaimed {
		ids[i] = item.ID
	}
	if len(ids) == 0 {
		return participant.Item{}, false
	}
	competes := func(other participant.Add) bool { return w.compare.ambiguous(op.add, other) }
	id, certain := claim.Identify(context.WithoutCancel(ctx), ids, competes)
	for _, item := range unclaimed {
		if certain && item.ID == id {
			w.claim(op, id)
			return item, true
		}
	}
	return participant.Item{}, false
}

// possible returns the candidates that no add of this process excludes.
func (w *Writer) possible(op *addOperation, candidates []participant.Item) []participant.Item {
	w.mu.Lock()
	defer w.mu.Unlock()
	if op.ambiguous || w.claims.hasCompetitor(op) {
		return nil
	}
	return w.claims.unclaimed(op, candidates)
}

// settleTimeout is longer than a call to the shared state takes.
const settleTimeout = 2 * time.Second

// settle shares the outcome before the callers get it, and returns theirs.
func (w *Writer) settle(
	ctx context.Context, op *addOperation, item participant.Item, err *apierror.Error,
) (participant.Item, *apierror.Error) {
	outcome, isReleased := w.outcomeToShare(ctx, op, Outcome{Item: item, Err: err, IsEntry: op.entry != nil})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if isReleased {
		op.claim.Release(ctx)
		return item, err
	}
	settled, failed := op.claim.Settle(ctx, outcome)
	if failed != nil {
		return item, w.unshared(ctx, op, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	op.setAnsweredAt(settled.AnsweredAt)
	return settled.Item, settled.Err
}

// unshared returns the error of an operation whose outcome is not shared yet. If it was not
// marked, another replica may take the claim over, and send the add.
func (w *Writer) unshared(ctx context.Context, op *addOperation, err *apierror.Error) *apierror.Error {
	w.mu.Lock()
	mayBeSent := err != nil && err.Dialled == apierror.DialledNo && !op.isMarked && op.request.id != ""
	op.isForgotten = op.isForgotten || mayBeSent
	w.mu.Unlock()
	if !mayBeSent {
		return err
	}
	op.claim.Release(ctx)
	unknown := *err
	unknown.Dialled = apierror.DialledUnknown
	return &unknown
}

// settlePanicked shares the outcome of an operation that has ended by a panic.
func (w *Writer) settlePanicked(ctx context.Context, op *addOperation) {
	if w.claimOf(op) != nil {
		_, _ = w.settle(ctx, op, participant.Item{}, nil)
	}
}

// outcomeToShare returns the outcome that the callers got, if they have one already. It reports
// whether the claim is free for others instead: the operation did not end by itself.
func (w *Writer) outcomeToShare(ctx context.Context, op *addOperation, outcome Outcome) (_ Outcome, isReleased bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if op.isDone() {
		outcome.Item, outcome.Err = op.item, op.err
	}
	outcome.Candidates = op.candidates
	if op.isSent() || outcome.Err == nil {
		return outcome, false
	}
	return outcome, ctx.Err() != nil || outcome.Err.Dialled == apierror.DialledUnknown
}

// dialledUnsent returns whether a phone may ring for a call that ends while its operation is not
// sent: another replica may send it for its own callers.
func (w *Writer) dialledUnsent(op *addOperation) apierror.Dialled {
	if w.shared != nil && op.request.id != "" {
		return apierror.DialledUnknown
	}
	return apierror.DialledNo
}

// waitsElsewhere reports whether the operation may wait for another replica. Writer.mu is held.
func (w *Writer) waitsElsewhere(op *addOperation) bool {
	return w.shared != nil && op.request.id != "" && op.claim == nil
}

// sharedError returns an error of Shared or Claim as callers get it.
func sharedError(ctx context.Context, err error) *apierror.Error {
	if ctx.Err() != nil {
		return contextError(ctx, apierror.DialledUnknown)
	}
	if errors.Is(err, ErrRequestIDReused) {
		return requestIDReused()
	}
	e := &apierror.Error{
		Reason:     apierror.SharedStateUnavailable,
		Message:    "this replica did not send the add, because the shared Redis is unavailable: retry with the same request_id",
		Dialled:    apierror.DialledUnknown,
		RetryAfter: defaultRetryAfter,
		Cause:      err,
	}
	if errors.Is(err, ErrNotAcknowledged) {
		e.Dialled = apierror.DialledNo
	}
	return e
}
