package write

import (
	"context"
	"log/slog"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// start runs the operation under ctx's values, but not under its end. Writer.mu is held.
func (w *Writer) start(ctx context.Context, upstream Upstream, op *addOperation) *addOperation {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w.operations[op] = cancel
	w.cache.begin(op)
	w.running.Go(func() {
		defer cancel()
		defer func() { w.recovered(ctx, op, recover()) }()
		item, err := w.send(ctx, upstream, op)
		w.finish(op, item, err)
	})
	return op
}

// send sends the add until the upstream has answered it or may have it.
func (w *Writer) send(ctx context.Context, upstream Upstream, op *addOperation) (participant.Item, *apierror.Error) {
	var again resending
	_ = w.setLimit(op, op.began.Add(turnWithin))
	for {
		item, ticket, err := w.attempt(again.under(ctx), upstream, op)
		switch {
		case err == nil:
			w.claim(op, item.ID)
			ticket.Done(participant.Write{Kind: participant.WriteAdd, Item: item})
			return item, nil
		case ticket != nil && apierror.Classify(err) == apierror.Ambiguous:
			return w.reconcile(ctx, upstream, op, ticket, err)
		case ticket != nil:
			w.takeBack(op)
		}
		if !w.waitToResend(ctx, op, &again, err) {
			return participant.Item{}, final(err, apierror.DialledNo)
		}
		w.log.LogAttrs(ctx, slog.LevelInfo, "add is sent again", attributes(op, err)...)
	}
}

// waitToResend returns true when it is time to send again what was surely not carried
// out.
func (w *Writer) waitToResend(ctx context.Context, op *addOperation, again *resending, err error) bool {
	switch apierror.Classify(err) {
	case apierror.NotSent, apierror.Throttled:
		return again.wait(ctx, err, w.setLimit(op, again.startLimit()))
	case apierror.Ambiguous, apierror.Refused:
	}
	return false
}

// setLimit bounds when the next request must leave, and returns the latest deadline of
// the waiters.
func (w *Writer) setLimit(op *addOperation, limit time.Time) (latestDeadline time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	op.limit = limit
	return op.latestDeadline()
}

// claim keeps A1 from giving the participant to another add.
func (w *Writer) claim(op *addOperation, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claims.settle(op, id)
}

// takeBack notes that the request was surely not carried out.
func (w *Writer) takeBack(op *addOperation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	op.sentAt = time.Time{}
	w.claims.withdraw(op)
	if len(op.waiters) == 0 {
		w.giveUp(op)
	}
}

// finish ends the operation's goroutine with its outcome.
func (w *Writer) finish(op *addOperation, item participant.Item, err *apierror.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settle(op, item, err)
	delete(w.operations, op)
}

// settle gives the outcome to all who wait and, as far as A2 wants it, to those who
// will ask. The first outcome stands. Writer.mu is held.
func (w *Writer) settle(op *addOperation, item participant.Item, err *apierror.Error) {
	if op.isSettled() {
		return
	}
	op.sender = op.original()
	op.item, op.err, op.waiters = item, err, nil
	w.cache.finish(op, time.Now())
	close(op.settled)
}

// attributes are what the log may know of an add that failed: not the upstream's
// message, which may repeat the phone number.
func attributes(op *addOperation, err error) []slog.Attr {
	e := failure(err, "")
	return []slog.Attr{
		slog.String("conference_id", op.request.key.Conference),
		slog.String("reason", string(e.Reason)),
		slog.Int("upstream_status", e.UpstreamStatus),
		slog.String("upstream_request_id", e.UpstreamRequestID),
	}
}
