package write

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Added is the result of an add.
type Added struct {
	Participant participant.Item
	// AnsweredAt is when the outcome was known: for a replay, that of the first request.
	AnsweredAt time.Time
	// Replayed is false for the call whose request was sent (A2). It is true for another
	// call with the same request id that gets the same outcome, or ends while it waits for
	// it. It is false if the request id was used for another add.
	Replayed bool
}

// Add makes the upstream dial the participant once. Its errors are *apierror.Error and say
// whether the phone may ring. Added.Replayed is valid with an error too.
//
// The end of ctx ends the call. It also ends the request, if that was not sent and no other
// call with the same request id waits for it.
func (w *Writer) Add(ctx context.Context, call Call, add participant.Add) (Added, error) {
	op, self, err := w.join(ctx, call, add)
	if err != nil {
		return Added{}, err
	}
	select {
	case <-op.done:
		return op.resultFor(self)
	case <-ctx.Done():
		return w.leave(ctx, op, self)
	}
}

// join makes the call wait for the operation of its request id. It starts the operation if
// there is none.
func (w *Writer) join(ctx context.Context, call Call, add participant.Add) (*addOperation, *waiter, error) {
	if ctx.Err() != nil {
		return nil, nil, contextError(ctx, apierror.DialledNo)
	}
	self := &waiter{}
	self.deadline, _ = ctx.Deadline()
	w.mu.Lock()
	defer w.mu.Unlock()
	r := requestOf(call)
	op := w.cache.find(r, time.Now())
	switch {
	case op == nil && w.closed:
		return nil, nil, draining()
	case op == nil:
		op = newOperation(r, add, self)
		op.entry, op.limit = call.Entry, call.DailyLimit
		w.start(ctx, call.Upstream, op)
	case op.add != add:
		return nil, nil, requestIDReused()
	default:
		op.join(self)
	}
	return op, self, nil
}

// leave ends one call's wait. The last call to leave also ends an operation that was not
// sent. While other calls wait, the request may still be sent, so the outcome is unknown.
func (w *Writer) leave(ctx context.Context, op *addOperation, self *waiter) (Added, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if op.isDone() {
		return op.resultFor(self)
	}
	op.leave(self)
	if !op.isSent() && len(op.waiters) == 0 {
		w.cancel(op)
		return Added{Replayed: w.waitsElsewhere(op)}, contextError(ctx, w.dialledUnsent(op))
	}
	return Added{Replayed: self != op.sender}, contextError(ctx, apierror.DialledUnknown)
}

// cancel ends an operation that was not sent. A later call with the same request id starts
// a new one. Writer.mu is held.
func (w *Writer) cancel(op *addOperation) {
	w.cache.forget(op)
	w.operations[op]()
}

// complete sets the outcome of the operation, if it has none, and keeps it for later calls
// as A2 requires. Writer.mu is held.
func (w *Writer) complete(op *addOperation, item participant.Item, err *apierror.Error) {
	if op.isDone() {
		return
	}
	op.sender = op.original()
	op.item, op.err, op.waiters = item, err, nil
	now := time.Now()
	if op.answeredAt.IsZero() {
		op.answeredAt = now
	}
	w.cache.complete(op, now)
	close(op.done)
}
