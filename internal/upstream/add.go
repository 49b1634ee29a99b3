package upstream

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

// addTimeout is how long an add's request may take: the upstream has 60 s to connect.
const addTimeout = 70 * time.Second

// Slot is one add's place among the account's adds (A3), for one request. Its owner ends
// it with Send or Release; all but SetDeadline are for one goroutine.
type Slot struct {
	account    *Account
	conference string
	waiting    *waitingAdd
	// departure is the turn that has come, nil before; it is another after a credential
	// was renewed.
	departure atomic.Pointer[departure]
	ended     bool
}

// Reserve queues one of the conference's adds. It fails, with nothing queued, where the
// breaker is open, where too many adds wait, and where there is no credential to send:
// an API key is exchanged here, so that what fails before the sending fails here.
func (a *Account) Reserve(ctx context.Context, conference string) (*Slot, error) {
	a.uses.Add(1)
	s, err := a.reserve(ctx, conference)
	if err != nil {
		a.done()
	}
	return s, err
}

func (a *Account) reserve(ctx context.Context, conference string) (*Slot, error) {
	if err := a.breaker.closed(); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := a.client.Authenticate(ctx); err != nil {
		a.settle(ctx, began, err)
		return nil, err
	}
	waiting, err := a.pacer.enter(conference, false)
	if err != nil {
		return nil, err
	}
	return &Slot{account: a, conference: conference, waiting: waiting}, nil
}

// SetDeadline says by when the turn must come; the zero time sets no bound.
func (s *Slot) SetDeadline(deadline time.Time) { s.account.pacer.setDeadline(s.waiting, deadline) }

// Wait returns nil when the slot's turn has come. It fails at once where the turn cannot
// come before the deadline, and where ctx ends.
func (s *Slot) Wait(ctx context.Context) error {
	if err := s.wait(ctx, s.waiting); err != nil {
		return err
	}
	if err := s.account.breaker.enter(); err != nil {
		s.Release()
		return err
	}
	return nil
}

// wait waits for the turn; the polls then make room for the add.
func (s *Slot) wait(ctx context.Context, waiting *waitingAdd) error {
	d, err := s.account.pacer.wait(ctx, waiting)
	if err != nil {
		return err
	}
	s.departure.Store(d)
	s.account.budget.added()
	return nil
}

// Release ends a slot that was not sent. After Send it does nothing.
func (s *Slot) Release() {
	if s.ended {
		return
	}
	s.ended = true
	if d := s.departure.Load(); d != nil {
		s.account.pacer.cancel(d)
	} else {
		s.account.pacer.leave(s.waiting)
	}
	s.account.done()
}

// Send sends the add once, in the turn that has come. ctx is the request's own, which
// the end of a call must not end (A6).
func (s *Slot) Send(ctx context.Context, add participant.Add) (participant.Item, error) {
	s.ended = true
	defer s.account.done()
	reached := true
	defer func() { s.depart(reached) }()
	began := time.Now()
	item, err := s.account.client.Add(context.WithValue(ctx, slotKey{}, s), s.conference, add, audian.Pacing{
		Next:    s.next,
		Timeout: addTimeout,
	})
	if e, known := errors.AsType[*apierror.Error](err); known && e.NotSent {
		reached = false
	}
	s.account.settle(ctx, began, err)
	return item, err
}

// depart ends the departure of a request that is over.
func (s *Slot) depart(reached bool) {
	if reached {
		s.account.pacer.done(s.departure.Load())
	} else {
		s.account.pacer.cancel(s.departure.Load())
	}
}

// next waits for another turn: with a renewed credential the add is one more request.
func (s *Slot) next(ctx context.Context) error {
	s.account.pacer.done(s.departure.Load())
	waiting, err := s.account.pacer.enter(s.conference, true)
	if err != nil {
		return err
	}
	if deadline, bounded := ctx.Deadline(); bounded {
		s.account.pacer.setDeadline(waiting, deadline)
	}
	return s.wait(ctx, waiting)
}

type slotKey struct{}

// departing is a transport that notes when an add's request is written. It looks at the
// request itself: what else is sent under an add's context, such as the exchange of an
// API key, is no departure (A3).
type departing struct{ http.RoundTripper }

func (t departing) RoundTrip(r *http.Request) (*http.Response, error) {
	if s, ok := r.Context().Value(slotKey{}).(*Slot); ok && r.Method == http.MethodPost {
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			WroteHeaders: func() { s.account.pacer.left(s.departure.Load()) },
		}))
	}
	return t.RoundTripper.RoundTrip(r) //nolint:wrapcheck // It is the transport's own.
}
