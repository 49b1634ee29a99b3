package write

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Added is the answer to an add.
type Added struct {
	Participant participant.Item
	// Replayed is true for every answer but that of the call that sent (A2): an outcome
	// of another call of the same request id, and the end of a call that only waited for
	// one. It is false where the id was used for another add: that outcome is this call's own.
	Replayed bool
}

// Add has the participant dialled once. Its errors are *apierror.Error and say
// whether the phone may ring; Added.Replayed counts beside an error too.
//
// The end of ctx ends the call, and the request too as long as it has not left and
// no other call of the same request id waits for it.
func (w *Writer) Add(ctx context.Context, call Call, add participant.Add) (Added, error) {
	op, one, err := w.operationFor(ctx, call, add)
	if err != nil {
		return Added{}, err
	}
	select {
	case <-op.settled:
		return op.answer(one)
	case <-ctx.Done():
		return w.leave(ctx, op, one)
	}
}

// operationFor finds the operation of the call's request id, or starts one, and makes
// the call wait for it.
func (w *Writer) operationFor(ctx context.Context, call Call, add participant.Add) (*addOperation, *waiter, error) {
	if ctx.Err() != nil {
		return nil, nil, ended(ctx, apierror.DialledNo)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	r := request{caller: call.Caller, key: call.Key, id: call.RequestID}
	op := w.cache.find(r, time.Now())
	switch {
	case op == nil && w.closed:
		return nil, nil, draining()
	case op == nil:
		op = w.start(ctx, call.Upstream, newOperation(r, add))
	case op.add != add:
		return nil, nil, reused()
	}
	one := &waiter{}
	one.deadline, _ = ctx.Deadline()
	op.join(one)
	return op, one, nil
}

// leave ends one call's wait, and with the last one's the operation, as long as its
// request has not left. While others wait the request may still leave, so that the phone
// of a call that leaves first may ring.
func (w *Writer) leave(ctx context.Context, op *addOperation, one *waiter) (Added, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if op.isSettled() {
		return op.answer(one)
	}
	op.leave(one)
	if !op.sent() && len(op.waiters) == 0 {
		w.giveUp(op)
		return Added{}, ended(ctx, apierror.DialledNo)
	}
	return Added{Replayed: one != op.sender}, ended(ctx, apierror.DialledUnknown)
}

// giveUp keeps the request from leaving. A later call of the same request id starts
// anew. Writer.mu is held.
func (w *Writer) giveUp(op *addOperation) {
	w.cache.forget(op)
	w.operations[op]()
}
