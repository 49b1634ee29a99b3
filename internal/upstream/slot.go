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
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

const (
	// addTimeout bounds one request of an add: the upstream has 60 s to connect.
	addTimeout = 70 * time.Second
	// sendTimeout bounds Send. A token that the upstream refused is renewed and the add is
	// sent again, which takes longer than one request.
	sendTimeout = addTimeout + 5*time.Second
)

// Slot is the place of one add in the account's queue (A3), for one request. Its owner calls
// Release in the end. Only SetDeadline is safe for concurrent use.
type Slot struct {
	account *Account
	queue   queueName
	queued  *queuedAdd
	// grant is nil before Wait has returned. A renewed credential replaces it.
	grant atomic.Pointer[grant]
	ended bool
}

// Reserve queues one add of the conference, or of a batch, unless that is empty. It fails, with nothing queued, if the circuit
// breaker is open, if too many adds wait, or if there is no credential. It exchanges an API
// key that has no token yet, so that a refused key fails before anything is sent.
func (a *Account) Reserve(ctx context.Context, conference, batch string) (*Slot, error) {
	a.acquire()
	s, err := a.reserve(ctx, queueName{conference, batch})
	if err != nil {
		a.release()
	}
	return s, err
}

func (a *Account) reserve(ctx context.Context, queue queueName) (*Slot, error) {
	if err := a.breaker.check(); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := a.client.Authenticate(ctx); err != nil {
		a.recordOutcome(ctx, began, err)
		return nil, err
	}
	queued, err := a.pacer.enqueue(queue, false)
	if err != nil {
		return nil, err
	}
	return &Slot{account: a, queue: queue, queued: queued}, nil
}

// SetDeadline sets the time by which Wait must return; zero sets no bound.
func (s *Slot) SetDeadline(deadline time.Time) { s.account.pacer.setDeadline(s.queued, deadline) }

// Wait returns nil when the add may be sent. It fails at once if that cannot be before the
// deadline, and when ctx ends.
func (s *Slot) Wait(ctx context.Context) error {
	if err := s.wait(ctx, s.queued); err != nil {
		return err
	}
	return s.account.breaker.allow()
}

// wait waits for the grant, and takes the add from the polls' rate.
func (s *Slot) wait(ctx context.Context, queued *queuedAdd) error {
	_, span := requestctx.StartSpan(ctx, "queue add")
	g, err := s.account.pacer.wait(ctx, queued)
	requestctx.EndSpan(span, err)
	if err != nil {
		return err
	}
	s.grant.Store(g)
	s.account.budget.addSent()
	return nil
}

// Release gives the slot back if it was not sent. After Send it does nothing.
func (s *Slot) Release() {
	if s.ended {
		return
	}
	s.ended = true
	if g := s.grant.Load(); g != nil {
		s.account.pacer.cancel(g)
	} else {
		s.account.pacer.withdraw(s.queued)
	}
	s.account.release()
}

// Send sends the add once, after Wait. The caller's deadline must not end ctx (A6); Send
// returns within sendTimeout.
func (s *Slot) Send(ctx context.Context, add participant.Add) (participant.Item, error) {
	s.ended = true
	defer s.account.release()
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	sent := true
	defer func() { s.endGrant(sent) }()
	began := time.Now()
	item, err := s.account.client.Add(context.WithValue(ctx, slotKey{}, s), s.queue.conference, add, audian.Pacing{
		Next:    s.next,
		Timeout: addTimeout,
	})
	if e, known := errors.AsType[*apierror.Error](err); known && e.NotSent {
		sent = false
	}
	s.account.recordOutcome(ctx, began, err)
	return item, err
}

// endGrant ends the grant of a request that is over.
func (s *Slot) endGrant(sent bool) {
	if sent {
		s.account.pacer.done(s.grant.Load())
	} else {
		s.account.pacer.cancel(s.grant.Load())
	}
}

// next waits for another grant: with a renewed credential, the add is one more request.
func (s *Slot) next(ctx context.Context) error {
	s.account.pacer.done(s.grant.Load())
	queued, err := s.account.pacer.enqueue(s.queue, true)
	if err != nil {
		return err
	}
	if deadline, bounded := ctx.Deadline(); bounded {
		s.account.pacer.setDeadline(queued, deadline)
	}
	return s.wait(ctx, queued)
}

type slotKey struct{}

// addTransport records when the request of an add is written. It ignores other requests
// under the context of an add, such as the exchange of an API key.
type addTransport struct{ http.RoundTripper }

func (t addTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if s, ok := r.Context().Value(slotKey{}).(*Slot); ok && r.Method == http.MethodPost {
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			WroteHeaders: func() { s.account.pacer.markWritten(s.grant.Load()) },
		}))
	}
	return t.RoundTripper.RoundTrip(r) //nolint:wrapcheck // It is the transport's own.
}
