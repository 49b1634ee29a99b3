package write

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// start runs the dial under ctx's values, but not under its end. Writer.mu is held.
func (w *Writer) start(ctx context.Context, upstream Upstream, d *dial) *dial {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w.dials[d] = cancel
	w.outcomes.begin(d)
	w.running.Go(func() {
		defer cancel()
		item, err := w.send(ctx, upstream, d)
		w.finish(d, item, err)
	})
	return d
}

// send sends the add until the upstream has answered it or may have it.
func (w *Writer) send(ctx context.Context, upstream Upstream, d *dial) (participant.Item, *participant.Error) {
	again := resending{limit: d.began.Add(turnWithin), last: noTurn()}
	for {
		item, ticket, err := w.attempt(again.under(ctx), upstream, d, again.limit)
		switch {
		case err == nil:
			w.claim(d, item.ID)
			ticket.Done(participant.Write{Kind: participant.WriteAdd, Item: item})
			return item, nil
		case errors.Is(err, errNoTurn):
			return participant.Item{}, final(again.last, participant.DialledNo)
		case ticket == nil:
			return participant.Item{}, final(err, participant.DialledNo)
		case fateOf(err) == lost:
			return w.reconcile(ctx, upstream, d, ticket, err)
		}
		ticket.Drop()
		patience := w.takeBack(d)
		if fateOf(err) == refused || !again.wait(ctx, err, patience) {
			return participant.Item{}, final(err, participant.DialledNo)
		}
		w.log.LogAttrs(ctx, slog.LevelInfo, "add is sent again", attributes(d, err)...)
	}
}

// claim keeps A1 from giving the participant to another add.
func (w *Writer) claim(d *dial, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claims.settle(d, id)
}

// takeBack notes that the request surely did not reach the upstream, and tells how
// long somebody waits for it to be sent again.
func (w *Writer) takeBack(d *dial) (patience time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d.sentAt = time.Time{}
	w.claims.withdraw(d)
	if len(d.callers) == 0 {
		w.giveUp(d)
	}
	return d.patience()
}

// finish ends the dial's goroutine with its outcome.
func (w *Writer) finish(d *dial, item participant.Item, err *participant.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settle(d, item, err)
	delete(w.dials, d)
}

// settle tells the outcome to all who wait and, as far as A2 wants it, to those who
// will ask. The first outcome stands. Writer.mu is held.
func (w *Writer) settle(d *dial, item participant.Item, err *participant.Error) {
	if d.isSettled() {
		return
	}
	d.sender = d.answered()
	d.item, d.err, d.callers = item, err, nil
	w.outcomes.finish(d, time.Now())
	close(d.settled)
}

// attributes are what the log may know of an add that failed: not the upstream's
// message, which may repeat the phone number.
func attributes(d *dial, err error) []slog.Attr {
	told := failure(err, "")
	return []slog.Attr{
		slog.String("conference_id", d.request.key.Conference),
		slog.String("reason", string(told.Reason)),
		slog.Int("upstream_status", told.UpstreamStatus),
		slog.String("upstream_request_id", told.UpstreamRequestID),
	}
}
