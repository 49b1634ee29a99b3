package simulator

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// Operation is the kind of a request.
type Operation string

// The operations. Any is for faults that match all of them.
const (
	Any     Operation = "any"
	Add     Operation = "add"
	Remove  Operation = "remove"
	List    Operation = "list"
	Auth    Operation = "auth"
	Control Operation = "control"
	Unknown Operation = "unknown"
)

// call is one request that is being served.
type call struct {
	request   *http.Request
	body      []byte
	operation Operation
	id        string
	arrived   time.Time

	// token and account are set by authentication.
	token   string
	account *account

	latency time.Duration
	fault   Fault
}

// operate implements an operation. It runs under the simulator's lock.
type operate func(c *call, now time.Time) result

// maxBody is more than any documented request needs.
const maxBody = 1 << 16

// serve runs a request through its steps: latency, fault, authentication, limits, the
// operation, and the fault's change to the response.
func (s *Simulator) serve(operation Operation, op operate) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := s.begin(operation, r)
		if !wait(r.Context(), c.latency) || !c.readBody(w) {
			s.record(r.Context(), c, 0)
			panic(http.ErrAbortHandler)
		}
		if c.fault.Kind == FaultDetached {
			time.AfterFunc(c.fault.Latency, func() { s.perform(c, op) })
			s.record(r.Context(), c, 0)
			panic(http.ErrAbortHandler)
		}
		resp := c.fault.alterResponse(s.perform(c, op))
		if c.fault.Kind == FaultLate && !wait(r.Context(), c.fault.Latency) {
			resp.cut = cutBeforeResponse
		}
		s.record(r.Context(), c, resp.clientStatus())
		resp.send(w)
	}
}

// begin numbers the request and finds its faults.
func (s *Simulator) begin(operation Operation, r *http.Request) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.requests++
	c := &call{
		request: r, operation: operation, arrived: time.Now(),
		id: fmt.Sprintf("req_%08x", s.state.requests),
	}
	s.state.assignFaults(c)
	return c
}

// readBody runs without the lock, which a slow client must not hold.
func (c *call) readBody(w http.ResponseWriter) (ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, c.request.Body, maxBody))
	c.body = body
	return err == nil
}

// perform runs the operation and returns its response, or that of the fault.
func (s *Simulator) perform(c *call, op operate) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.fault.Kind == FaultCut {
		return response{cut: cutBeforeResponse}
	}
	replacement, replaced := c.fault.replacement(c.id)
	if replaced && !c.fault.Handled {
		return replacement
	}
	now := time.Now()
	resp := s.encode(c, s.authorized(c, op, now))
	if replaced {
		return replacement
	}
	return resp
}

// authorized runs the operation if the request is authenticated and within the limits.
func (s *Simulator) authorized(c *call, op operate, now time.Time) result {
	if c.operation != Auth && !s.authenticate(c, now) {
		return failure(http.StatusUnauthorized, "invalid or expired token")
	}
	if c.account != nil && !c.account.takeRequestToken(now, &s.options) {
		return failure(http.StatusTooManyRequests, "request tokens used up").retryAfter(1)
	}
	return op(c, now)
}

// record adds the request to the history.
func (s *Simulator) record(ctx context.Context, c *call, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := Request{
		ID: c.id, Time: c.arrived, Method: c.request.Method, Path: c.request.URL.Path,
		Operation: c.operation, Conference: c.conferenceID(), Status: status,
		Fault: c.faultKind(), CallerID: c.request.Header.Get("X-Request-ID"),
	}
	s.state.history.add(r)
	s.options.Logger.LogAttrs(ctx, slog.LevelDebug, "simulator answered",
		slog.String("operation", string(r.Operation)), slog.String("conference_id", r.Conference),
		slog.Int("status", r.Status), slog.String("fault", string(r.Fault)),
		slog.String("upstream_request_id", r.ID))
}

// faultKind returns the kind of the fault for the history.
func (c *call) faultKind() FaultKind {
	if c.fault.Kind == "" && c.latency > 0 {
		return FaultLatency
	}
	return c.fault.Kind
}

func (c *call) conferenceID() string { return c.request.PathValue("conference") }

func (c *call) participantID() string { return c.request.PathValue("participant") }

// wait waits for d, and reports whether the context outlived it.
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
