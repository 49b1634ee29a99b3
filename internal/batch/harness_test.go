package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/write"
)

const (
	// turn is how long each add waits for its turn, and answer how long its phone call takes.
	turn   = 100 * time.Millisecond
	answer = 3 * time.Second
)

// adder is an account that grants one turn at a time. It remembers outcomes as a Writer does, by
// the request id and number of an entry.
type adder struct {
	mu sync.Mutex
	// sent are the phone numbers in the order of their turns. waiting is how many wait for a turn,
	// most the largest number ever.
	sent          []string
	waiting, most int
	// outcomes are errors by phone number; each is used once, unless it stays.
	outcomes map[string]error
	stays    bool
	// pending are the adds that were sent, with what is closed when they are answered.
	pending map[string]chan struct{}
	// elsewhere are the numbers that another replica has claimed until a time.
	elsewhere map[string]time.Time
}

func (a *adder) Add(ctx context.Context, call write.Call, add participant.Add) (write.Added, error) {
	a.mu.Lock()
	until, isElsewhere := a.elsewhere[add.PhoneNumber]
	answered, isPending := a.pending[call.Scope()]
	a.mu.Unlock()
	switch {
	case isPending && call.RequestID != "":
		return a.await(ctx, add, answered)
	case isElsewhere && time.Now().Before(until):
		call.Entry.Left(false)
		if !sleep(ctx, time.Until(until)) {
			return write.Added{}, cancelled(apierror.DialledUnknown)
		}
		return added(add), nil
	}
	if !a.wait(ctx) {
		return write.Added{}, cancelled(apierror.DialledNo)
	}
	answered = a.send(call, add)
	call.Entry.Left(true)
	return a.await(ctx, add, answered)
}

// wait waits for a turn.
func (a *adder) wait(ctx context.Context) bool {
	a.mu.Lock()
	a.waiting++
	a.most = max(a.most, a.waiting)
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.waiting--
		a.mu.Unlock()
	}()
	return sleep(ctx, turn)
}

func (a *adder) send(call write.Call, add participant.Add) chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent = append(a.sent, add.PhoneNumber)
	answered := make(chan struct{})
	a.pending[call.Scope()] = answered
	time.AfterFunc(answer, func() { close(answered) })
	return answered
}

func (a *adder) await(ctx context.Context, add participant.Add, answered <-chan struct{}) (write.Added, error) {
	select {
	case <-answered:
	case <-ctx.Done():
		return write.Added{}, cancelled(apierror.DialledUnknown)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.outcomes[add.PhoneNumber]
	if err == nil {
		return added(add), nil
	}
	if !a.stays {
		delete(a.outcomes, add.PhoneNumber)
		clear(a.pending)
	}
	return write.Added{}, err
}

func added(add participant.Add) write.Added {
	return write.Added{Participant: participant.Item{Participant: participant.Participant{
		ID: "p" + add.PhoneNumber, PhoneNumber: add.PhoneNumber,
	}}}
}

func cancelled(dialled apierror.Dialled) error {
	return &apierror.Error{Reason: apierror.Cancelled, Message: "cancelled", Dialled: dialled}
}

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

// gateway is one process.
type gateway struct {
	*Batches

	t     *testing.T
	adder *adder
	drain func()
}

func newGateway(t *testing.T, shared Shared) *gateway {
	t.Helper()
	draining := make(chan struct{})
	a := &adder{outcomes: map[string]error{}, pending: map[string]chan struct{}{}, elsewhere: map[string]time.Time{}}
	return &gateway{t: t, adder: a, drain: func() { close(draining) }, Batches: New(Options{
		Adder: a, Shared: shared, Interval: turn, Draining: draining, Logger: slog.New(slog.DiscardHandler),
	})}
}

// request returns a batch of n entries.
func request(id string, n int) Request {
	r := Request{Call: write.Call{Caller: "c", Key: participant.Key{Conference: "conf"}, RequestID: id}}
	for i := range n {
		r.Adds = append(r.Adds, participant.Add{PhoneNumber: number(i)})
		r.Order = append(r.Order, i)
	}
	return r
}

func number(i int) string { return strconv.Itoa(i) }

func (g *gateway) open(r Request) *Stream {
	g.t.Helper()
	stream, err := g.Open(g.t.Context(), r)
	if err != nil {
		g.t.Fatal(err)
	}
	return stream
}

// seen is what a stream has reported.
type seen struct {
	results  map[int]string
	order    []int
	progress []Progress
	summary  *Summary
	last     error
}

// read reads a stream to its end.
func (g *gateway) read(stream *Stream) seen {
	g.t.Helper()
	got := seen{results: map[int]string{}}
	for first := true; ; first = false {
		event, err := stream.Next(g.t.Context())
		switch {
		case err != nil:
			got.last = err
			return got
		case event.Accepted != nil:
			if !first {
				g.t.Error("accepted is not the first event")
			}
		case event.Progress != nil:
			got.progress = append(got.progress, *event.Progress)
		case event.Summary != nil:
			got.summary = event.Summary
		case event.Result != nil:
			if before, reported := got.results[event.Result.Index]; reported {
				g.t.Errorf("entry %d is reported twice: %s", event.Result.Index, before)
			}
			got.results[event.Result.Index] = text(event.Result)
			got.order = append(got.order, event.Result.Index)
		}
	}
}

func text(r *Result) string {
	if r.Err != nil {
		return string(apierror.ReasonOf(r.Err))
	}
	return r.Participant.ID
}

// sent returns the numbers in the order in which they were sent.
func (g *gateway) sent() []string {
	g.adder.mu.Lock()
	defer g.adder.mu.Unlock()
	return slices.Clone(g.adder.sent)
}

// checkEnd checks that a stream has ended with this summary.
func (g *gateway) checkEnd(got seen, want Summary) {
	g.t.Helper()
	if !errors.Is(got.last, io.EOF) || got.summary == nil || *got.summary != want {
		g.t.Errorf("ended with %v, summary %v, want %v", got.last, got.summary, want)
	}
	if len(got.order) != want.total() {
		g.t.Errorf("%d results, want %d", len(got.order), want.total())
	}
}

// checkSent checks that each of the n numbers was sent once.
func (g *gateway) checkSent(n int) {
	g.t.Helper()
	times := map[string]int{}
	for _, one := range g.sent() {
		times[one]++
	}
	for i := range n {
		if times[number(i)] != 1 {
			g.t.Errorf("%s was sent %d times", number(i), times[number(i)])
		}
	}
	if len(times) != n {
		g.t.Errorf("%d numbers were sent, want %d", len(times), n)
	}
}

func refusal(status int) error {
	return &apierror.Error{
		Reason: apierror.PaymentRequired, UpstreamStatus: status, FromUpstream: true, Dialled: apierror.DialledNo, Message: fmt.Sprint(status),
	}
}

func unsent(reason apierror.Reason) error {
	return &apierror.Error{Reason: reason, Dialled: apierror.DialledNo, Message: "not sent"}
}
