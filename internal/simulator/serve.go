package simulator

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// Operation names what a request asks for.
type Operation string

// The operations. A fault may also match Any.
const (
	Any     Operation = "any"
	Add     Operation = "add"
	Remove  Operation = "remove"
	List    Operation = "list"
	Auth    Operation = "auth"
	Control Operation = "control"
	Unknown Operation = "unknown"
)

// call is one request on its way through.
type call struct {
	request   *http.Request
	body      []byte
	operation Operation
	id        string
	arrived   time.Time

	// token and account are who asks, once that is known.
	token   string
	account *account

	latency time.Duration
	fault   Fault
}

// operate is one operation of the vendor. It runs under the simulator's lock.
type operate func(c *call, now time.Time) answer

// maxBody is more than any documented request needs.
const maxBody = 1 << 16

// serve lets a request through all that may befall it: delay, fault, authentication,
// limits, the operation, and what becomes of the answer.
func (s *Simulator) serve(operation Operation, op operate) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := s.receive(operation, r)
		if !wait(r.Context(), c.latency) || !c.read(w) {
			s.record(r.Context(), c, 0)
			panic(http.ErrAbortHandler)
		}
		if c.fault.Kind == FaultDetached {
			time.AfterFunc(c.fault.Latency, func() { s.perform(c, op) })
			s.record(r.Context(), c, 0)
			panic(http.ErrAbortHandler)
		}
		reply := c.fault.distort(s.perform(c, op))
		if c.fault.Kind == FaultLate && !wait(r.Context(), c.fault.Latency) {
			reply.cut = cutAll
		}
		s.record(r.Context(), c, reply.seen())
		reply.send(w)
	}
}

// receive gives the request its number and the faults that strike it.
func (s *Simulator) receive(operation Operation, r *http.Request) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.requests++
	c := &call{
		request: r, operation: operation, arrived: time.Now(),
		id: fmt.Sprintf("req_%08x", s.world.requests),
	}
	s.world.strike(c)
	return c
}

// read takes the body in, before the lock, which a slow client must not hold.
func (c *call) read(w http.ResponseWriter) (ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, c.request.Body, maxBody))
	c.body = body
	return err == nil
}

// perform does what was asked and forms the answer, or the fault's answer.
func (s *Simulator) perform(c *call, op operate) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.fault.Kind == FaultCut {
		return reply{cut: cutAll}
	}
	instead, replaced := c.fault.instead(c.id)
	if replaced && !c.fault.Handled {
		return instead
	}
	now := time.Now()
	formed := s.form(c, s.admitted(c, op, now))
	if replaced {
		return instead
	}
	return formed
}

// admitted performs the operation for callers that the vendor lets in.
func (s *Simulator) admitted(c *call, op operate, now time.Time) answer {
	if c.operation != Auth && !s.identify(c, now) {
		return refuse(http.StatusUnauthorized, "invalid or expired token")
	}
	if c.account != nil && !c.account.draw(now, &s.options) {
		return refuse(http.StatusTooManyRequests, "request tokens used up").retryAfter(1)
	}
	return op(c, now)
}

// record writes the history.
func (s *Simulator) record(ctx context.Context, c *call, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := Request{
		ID: c.id, Time: c.arrived, Method: c.request.Method, Path: c.request.URL.Path,
		Operation: c.operation, Conference: c.conferenceID(), Status: status,
		Fault: c.struck(), CallerID: c.request.Header.Get("X-Request-ID"),
	}
	s.world.history.add(r)
	s.options.Logger.LogAttrs(ctx, slog.LevelDebug, "simulator answered",
		slog.String("operation", string(r.Operation)), slog.String("conference_id", r.Conference),
		slog.Int("status", r.Status), slog.String("fault", string(r.Fault)),
		slog.String("upstream_request_id", r.ID))
}

// struck is the kind of the fault for the history.
func (c *call) struck() FaultKind {
	if c.fault.Kind == "" && c.latency > 0 {
		return FaultLatency
	}
	return c.fault.Kind
}

func (c *call) conferenceID() string { return c.request.PathValue("conference") }

func (c *call) participantID() string { return c.request.PathValue("participant") }

// wait lets time pass, and says whether the caller had so much patience.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
