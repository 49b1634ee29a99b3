package write

import (
	"context"
	"errors"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// turnWithin bounds the wait for a first turn where no caller's deadline does.
const turnWithin = 10 * time.Minute

// errNoTurn says that an attempt was ended before its request left.
var errNoTurn = errors.New("no turn came in time")

// attempt sends the add once, its request to leave by limit. A nil ticket says that
// nothing left; any other is the caller's to end.
func (w *Writer) attempt(
	ctx context.Context, upstream Upstream, d *dial, limit time.Time,
) (participant.Item, Ticket, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	own := &attemptContext{Context: ctx, writer: w, dial: d, limit: limit}
	timer := time.AfterFunc(time.Until(limit), func() { w.expire(own, cancel) })
	defer timer.Stop()

	var ticket Ticket
	item, err := upstream.Add(own, d.request.key.Conference, d.add, func() { //nolint:contextcheck // own wraps ctx.
		ticket = w.recorder.Begin(d.request.key)
		w.sending(ctx, d)
		timer.Reset(w.sendTimeout)
	})
	if err == nil && item.ID == "" {
		err = undecodable()
	}
	switch {
	case err == nil || w.hasLeft(d):
		return item, ticket, err
	case ticket != nil:
		ticket.Drop()
	}
	if ctx.Err() != nil {
		err = errNoTurn
	}
	return item, nil, err
}

// sending marks the request as the gateway's own, unless the attempt was ended just
// before: then the upstream sends nothing.
func (w *Writer) sending(ctx context.Context, d *dial) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	d.sentAt = time.Now()
	d.sender = d.callers[0]
	w.claims.open(d)
}

func (w *Writer) hasLeft(d *dial) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return d.sent()
}

// expire ends an attempt that is overdue, one that waits or one that was sent. A
// request that leaves at this very moment is let go.
func (w *Writer) expire(c *attemptContext, cancel context.CancelFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	due := c.limit
	if c.dial.sent() {
		due = c.dial.sentAt.Add(w.sendTimeout)
	}
	if !time.Now().Before(due) {
		cancel()
	}
}

// attemptContext is the context of one attempt. Its deadline is for the account's pacer
// to see, which refuses an add whose turn cannot come in time (A3): it follows the
// callers that wait, who may come and go, and ends nothing by itself.
type attemptContext struct {
	context.Context //nolint:containedctx // It is a context.

	writer *Writer
	dial   *dial
	limit  time.Time
}

// Deadline is when the request must have left or, once it has, must be answered.
func (c *attemptContext) Deadline() (time.Time, bool) {
	c.writer.mu.Lock()
	defer c.writer.mu.Unlock()
	if c.dial.sent() {
		return c.dial.sentAt.Add(c.writer.sendTimeout), true
	}
	patience := c.dial.patience()
	if patience.IsZero() || patience.After(c.limit) {
		return c.limit, true
	}
	return patience, true
}
