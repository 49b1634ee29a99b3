package write

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Drain waits until no add is under way, those included whose callers have left.
// It fails only when ctx ends first.
func (w *Writer) Drain(ctx context.Context) error {
	for op := w.underWay(); op != nil; op = w.underWay() {
		select {
		case <-op.settled:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// underWay is some operation whose outcome is open, or nil.
func (w *Writer) underWay() *addOperation {
	w.mu.Lock()
	defer w.mu.Unlock()
	for op := range w.operations {
		if !op.isSettled() {
			return op
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
	for op := range w.operations {
		if op.sent() {
			w.settle(op, participant.Item{}, outcomeUnknown(nil))
			continue
		}
		w.settle(op, participant.Item{}, draining())
		w.giveUp(op)
	}
}

// Close abandons what is under way, cuts its requests short and returns once every
// goroutine has ended.
func (w *Writer) Close() {
	w.Abandon()
	w.mu.Lock()
	for _, cancel := range w.operations {
		cancel()
	}
	w.mu.Unlock()
	w.running.Wait()
}

func draining() *apierror.Error {
	return &apierror.Error{
		Reason:     apierror.Draining,
		Message:    "the gateway is shutting down and did not send the add",
		Dialled:    apierror.DialledNo,
		RetryAfter: time.Second,
	}
}
