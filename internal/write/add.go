package write

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Added is the answer to an add.
type Added struct {
	Participant participant.Item
	// Replayed says that the outcome, error or not, is that of another call with the
	// same request id (A2); so is the end of a call that only waited for another's. That
	// the id was used for another add is nobody's outcome, and not replayed.
	Replayed bool
}

// Add has the participant dialled once. Its errors are *participant.Error and say
// whether the phone may ring; Added.Replayed counts beside an error too.
//
// The end of ctx ends the call, and the request too as long as it has not left and
// no other call of the same request id waits for it.
func (w *Writer) Add(ctx context.Context, call Call, add participant.Add) (Added, error) {
	d, c, err := w.dialFor(ctx, call, add)
	if err != nil {
		return Added{}, err
	}
	select {
	case <-d.settled:
		return d.answer(c)
	case <-ctx.Done():
		return w.leave(ctx, d, c)
	}
}

// dialFor finds the dial of the call's request id, or starts one, and makes the call
// wait for it.
func (w *Writer) dialFor(ctx context.Context, call Call, add participant.Add) (*dial, *caller, error) {
	if ctx.Err() != nil {
		return nil, nil, ended(ctx, participant.DialledNo)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	r := request{caller: call.Caller, key: call.Key, id: call.RequestID}
	d := w.outcomes.find(r, time.Now())
	switch {
	case d == nil && w.closed:
		return nil, nil, draining()
	case d == nil:
		d = w.start(ctx, call.Upstream, newDial(r, add))
	case d.add != add:
		return nil, nil, reused()
	}
	c := &caller{}
	c.deadline, _ = ctx.Deadline()
	d.join(c)
	return d, c, nil
}

// leave ends one caller's wait, and with the last one's the dial, as long as its
// request has not left.
func (w *Writer) leave(ctx context.Context, d *dial, c *caller) (Added, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d.isSettled() {
		return d.answer(c)
	}
	added := Added{Replayed: c != d.answered()}
	d.leave(c)
	if d.sent() {
		return added, ended(ctx, participant.DialledUnknown)
	}
	if len(d.callers) == 0 {
		w.giveUp(d)
	}
	return added, ended(ctx, participant.DialledNo)
}

// giveUp keeps the request from leaving. A later call of the same request id starts
// anew. Writer.mu is held.
func (w *Writer) giveUp(d *dial) {
	w.outcomes.forget(d)
	w.dials[d]()
}
