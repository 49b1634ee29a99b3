package write

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Drain waits until no add is under way, those included whose callers have left.
// It fails only when ctx ends first.
func (w *Writer) Drain(ctx context.Context) error {
	for d := w.underWay(); d != nil; d = w.underWay() {
		select {
		case <-d.settled:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// underWay is some dial whose outcome is open, or nil.
func (w *Writer) underWay() *dial {
	w.mu.Lock()
	defer w.mu.Unlock()
	for d := range w.dials {
		if !d.isSettled() {
			return d
		}
	}
	return nil
}

// Abandon answers every add still under way, shortly before the process ends
// (W16): ADD_OUTCOME_UNKNOWN where its request has left, DRAINING where it surely
// has not. Later adds are refused. Requests that have left are not cut short.
func (w *Writer) Abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for d := range w.dials {
		if d.sent() {
			w.settle(d, participant.Item{}, outcomeUnknown(nil))
			continue
		}
		w.settle(d, participant.Item{}, draining())
		w.giveUp(d)
	}
}

// Close abandons what is under way, cuts its requests short and returns once every
// goroutine has ended.
func (w *Writer) Close() {
	w.Abandon()
	w.mu.Lock()
	for _, cancel := range w.dials {
		cancel()
	}
	w.mu.Unlock()
	w.running.Wait()
}

func draining() *participant.Error {
	return &participant.Error{
		Reason:     participant.Draining,
		Message:    "the gateway is shutting down and did not send the add",
		Dialled:    participant.DialledNo,
		RetryAfter: time.Second,
	}
}
