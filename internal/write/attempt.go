package write

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// turnWithin bounds the wait for a first turn where no caller's deadline does.
const turnWithin = 10 * time.Minute

// attempt sends the add once. A nil ticket means that nothing left.
func (w *Writer) attempt(ctx context.Context, upstream Upstream, op *addOperation) (participant.Item, Ticket, error) {
	slot, err := upstream.Reserve(ctx, op.request.key.Conference)
	if err != nil {
		return participant.Item{}, nil, err
	}
	defer slot.Release()
	w.setSlot(op, slot)
	err = slot.Wait(ctx)
	w.setSlot(op, nil)
	if err != nil {
		return participant.Item{}, nil, err
	}
	ticket := w.recorder.Begin(op.request.key)
	if err := w.markSent(ctx, op); err != nil {
		return participant.Item{}, nil, err
	}
	item, err := w.sendOnce(ctx, slot, op.add)
	return item, ticket, err
}

func (w *Writer) sendOnce(ctx context.Context, slot Slot, add participant.Add) (participant.Item, error) {
	ctx, cancel := context.WithTimeout(ctx, w.sendTimeout)
	defer cancel()
	item, err := slot.Send(ctx, add)
	if err == nil && item.ID == "" {
		err = undecodable()
	}
	return item, err
}

// setSlot hands the slot the deadlines of the waiters, which may come and go.
func (w *Writer) setSlot(op *addOperation, slot Slot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	op.slot = slot
	op.setDeadline()
}

// markSent makes the request the gateway's own, unless the operation was given up just
// before: then nothing may be sent.
func (w *Writer) markSent(ctx context.Context, op *addOperation) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	op.sentAt = time.Now()
	op.sender = op.waiters[0]
	w.claims.open(op)
	return nil
}
