package account

import (
	"context"
	"errors"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/audian"
	"github.com/audian/participant-gateway/internal/participant"
)

// addTimeout is how long an add's request may take: the upstream has 60 s to connect.
const addTimeout = 70 * time.Second

// Add waits for its turn among the account's adds (A3), calls sending just before the
// request leaves, and sends it once; nothing is sent if ctx has ended when sending
// returns. Until then ctx is that of whoever waits, whose deadline may move; afterwards
// it is the request's own, which its callers must not end (A6).
func (a *Account) Add(
	ctx context.Context, conference string, add participant.Add, sending func(),
) (participant.Item, error) {
	a.uses.Add(1)
	defer a.done()
	d, err := a.depart(ctx, conference)
	if err != nil {
		return participant.Item{}, err
	}
	sending()
	if ctx.Err() != nil {
		a.pacer.cancel(d)
		return participant.Item{}, over(ctx)
	}
	began := time.Now()
	item, err := a.send(ctx, conference, add, d)
	a.settle(ctx, began, err)
	return item, err
}

// depart waits for an add's turn and passes the breaker.
func (a *Account) depart(ctx context.Context, conference string) (*departure, error) {
	if err := a.breaker.closed(); err != nil {
		return nil, err
	}
	d, err := a.turn(ctx, conference, false)
	if err != nil {
		return nil, err
	}
	if err := a.breaker.enter(); err != nil {
		a.pacer.cancel(d)
		return nil, err
	}
	return d, nil
}

// turn waits for an add's turn; the polls then make room for it.
func (a *Account) turn(ctx context.Context, conference string, again bool) (*departure, error) {
	d, err := a.pacer.wait(ctx, conference, again)
	if err == nil {
		a.budget.added()
	}
	return d, err
}

// send sends an add whose turn has come.
func (a *Account) send(
	ctx context.Context, conference string, add participant.Add, d *departure,
) (participant.Item, error) {
	var current atomic.Pointer[departure]
	current.Store(d)
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { a.pacer.left(current.Load()) },
	})
	item, err := a.client.Add(traced, conference, add, audian.Pacing{
		// With a renewed token it is one more request, which needs a turn of its own.
		Next: func(ctx context.Context) error {
			a.pacer.done(current.Load())
			another, err := a.turn(ctx, conference, true)
			if err == nil {
				current.Store(another)
			}
			return err
		},
		Timeout: addTimeout,
	})
	if e, ok := errors.AsType[*participant.Error](err); ok && e.Unreached {
		a.pacer.cancel(current.Load())
	} else {
		a.pacer.done(current.Load())
	}
	return item, err
}
