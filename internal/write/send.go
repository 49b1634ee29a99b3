package write

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// An add that certainly did not reach the upstream, or was answered 429, is sent again at
// most maxResends times, and at most for resendTimeout after its first failure (W15).
const (
	maxResends    = 3
	resendTimeout = 10 * time.Second
	// resendDelay doubles for each further resend. It needs no jitter: the account's queue
	// spaces resent adds like all others.
	resendDelay = 500 * time.Millisecond
)

// start runs the operation with the values of ctx, but not with its end. Writer.mu is held.
func (w *Writer) start(ctx context.Context, upstream Upstream, op *addOperation) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w.operations[op] = cancel
	w.cache.begin(op)
	w.running.Go(func() {
		defer cancel()
		defer func() { w.recovered(ctx, op, recover()) }()
		item, err := w.run(ctx, upstream, op)
		w.end(op, item, err)
	})
}

// end completes the operation when its goroutine ends.
func (w *Writer) end(op *addOperation, item participant.Item, err *apierror.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.complete(op, item, err)
	delete(w.operations, op)
}

// send sends the add until the upstream has answered it or may have carried it out.
func (w *Writer) send(ctx context.Context, upstream Upstream, op *addOperation) (participant.Item, *apierror.Error) {
	for resends := 0; ; resends++ {
		item, record, err := w.sendOnce(ctx, upstream, op, resends > 0)
		switch {
		case err == nil:
			w.claim(op, item.ID)
			record.Done(participant.Write{Kind: participant.WriteAdd, Item: item})
			return item, nil
		case record != nil && apierror.Classify(err) == apierror.Ambiguous:
			return w.reconcile(ctx, upstream, op, record, err)
		case record != nil:
			w.markNotSent(op)
		}
		if !w.waitToResend(ctx, op, resends, err) {
			return participant.Item{}, unsentError(err)
		}
		w.log.LogAttrs(ctx, slog.LevelInfo, "add is sent again", attributes(op, err)...)
	}
}

// sendOnce waits for a slot and sends the add. A nil record means that nothing was sent.
func (w *Writer) sendOnce(
	ctx context.Context, upstream Upstream, op *addOperation, isRetry bool,
) (participant.Item, Record, error) {
	if isRetry {
		ctx = requestctx.WithRetry(ctx)
	}
	if err := op.checkLimit(ctx); err != nil {
		return participant.Item{}, nil, err
	}
	slot, err := upstream.Reserve(ctx, op.request.key.Conference, op.batch())
	if err != nil {
		return participant.Item{}, nil, err
	}
	defer slot.Release()
	w.setSlot(op, slot)
	if err := slot.Wait(ctx); err != nil {
		return participant.Item{}, nil, err
	}
	giveBack, err := op.count(ctx)
	if err != nil {
		return participant.Item{}, nil, err
	}
	item, record, err := w.sendCounted(ctx, slot, op)
	if err != nil && (record == nil || apierror.Classify(err) != apierror.Ambiguous) {
		giveBack()
	}
	return item, record, err
}

// sendCounted marks the add as sent, and sends it. A nil record means that nothing was sent.
func (w *Writer) sendCounted(ctx context.Context, slot Slot, op *addOperation) (participant.Item, Record, error) {
	if err := w.mark(ctx, op); err != nil {
		return participant.Item{}, nil, err
	}
	record := w.recorder.Begin(ctx, op.request.key)
	if err := w.markSent(ctx, op); err != nil {
		return participant.Item{}, nil, err
	}
	item, err := slot.Send(ctx, op.add)
	return item, record, err
}

func (w *Writer) setSlot(op *addOperation, slot Slot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	op.slot = slot
	op.updateSlot()
}

// markSent is the point after which the request continues without its callers. It fails if
// the operation was cancelled before: then nothing may be sent.
func (w *Writer) markSent(ctx context.Context, op *addOperation) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	op.sentAt, op.slot = time.Now(), nil
	op.sender = op.waiters[0]
	w.claims.open(op)
	op.leaveQueue(true)
	return nil
}

// markNotSent notes that the request was certainly not carried out.
func (w *Writer) markNotSent(op *addOperation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	op.sentAt = time.Time{}
	w.claims.withdraw(op)
	if len(op.waiters) == 0 {
		w.cancel(op)
	}
}

// claim reserves the participant for the operation, so that A1 gives it to no other add.
func (w *Writer) claim(op *addOperation, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claims.assign(op, id)
}

// waitToResend returns true when it is time to send a request again that was certainly not
// carried out. It returns false if that is not allowed or ctx ends.
func (w *Writer) waitToResend(ctx context.Context, op *addOperation, resends int, err error) bool {
	class := apierror.Classify(err)
	if resends >= maxResends || class != apierror.NotSent && class != apierror.Throttled {
		return false
	}
	delay := max(resendDelay<<resends, apierror.RetryAfterOf(err))
	return w.mayResendAt(op, time.Now().Add(delay), resends) && sleep(ctx, delay)
}

// mayResendAt reports whether a request at a time is within resendTimeout and before the
// latest deadline of the waiters.
func (w *Writer) mayResendAt(op *addOperation, at time.Time, resends int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if resends == 0 {
		op.sendBefore = time.Now().Add(resendTimeout)
	}
	deadline := op.latestDeadline()
	return at.Before(op.sendBefore) && (deadline.IsZero() || at.Before(deadline))
}

// sleep returns false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// recovered ends an operation that panicked; nil means that it did not. Other operations
// and the process continue.
func (w *Writer) recovered(ctx context.Context, op *addOperation, panicked any) {
	if panicked == nil {
		return
	}
	w.log.LogAttrs(ctx, slog.LevelError, "panic",
		slog.String("conference_id", op.request.key.Conference),
		slog.String("panic", fmt.Sprint(panicked)),
		slog.String("stack", string(debug.Stack())))
	panics.Count()
	defer w.settlePanicked(ctx, op)
	w.mu.Lock()
	defer w.mu.Unlock()
	dialled := w.dialledUnsent(op)
	if op.isSent() {
		dialled = apierror.DialledUnknown
		w.claims.leaveUnresolved(op, nil)
	}
	op.isForgotten = !op.isSent()
	w.complete(op, participant.Item{}, unknownError(fmt.Errorf("panic: %v", panicked), dialled))
	delete(w.operations, op)
}

// attributes describe a failed add in the log. The upstream's message is not among them,
// because it may repeat the phone number.
func attributes(op *addOperation, err error) []slog.Attr {
	e := asError(err, "")
	return []slog.Attr{
		slog.String("conference_id", op.request.key.Conference),
		slog.String("reason", string(e.Reason)),
		slog.Int("upstream_status", e.UpstreamStatus),
		slog.String("upstream_request_id", e.UpstreamRequestID),
	}
}
