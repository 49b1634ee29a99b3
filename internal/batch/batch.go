// Package batch adds many participants to one conference, and reports each outcome (A9).
//
// A batch starts its entries one after the other: the next one when the last one waits for no turn
// any more. Their phone calls overlap. A batch goes on while it has a stream:
//
//	waiting ──▶ adding ──▶ done: added, refused or unknown
//	   ▲          │ │
//	   └──────────┘ └────▶ done: not sent; waiting again for the next stream
//	 all streams have left
package batch

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/write"
)

const (
	// holdFor is how long a batch with a request id is held after its last stream and entry.
	holdFor = 10 * time.Minute
	// maxHeld is the most entries of batches that are held without a stream.
	maxHeld = 1 << 16
)

// Adder sends one add. Its errors are *apierror.Error.
type Adder interface {
	Add(ctx context.Context, call write.Call, add participant.Add) (write.Added, error)
}

// Shared is what the replicas of a gateway know together about batches (R6).
type Shared interface {
	// KeepBatch notes that a batch is held, and extends the claims of its entries to last as long.
	// Its errors are ErrUnknown, write.ErrRequestIDReused, that of ctx, or mean that the shared
	// state is unavailable.
	KeepBatch(ctx context.Context, batch SharedBatch) error
	// WaitAvailable waits until the shared state can be used, or ctx ends.
	WaitAvailable(ctx context.Context) error
}

// SharedBatch is a batch as replicas compare it.
type SharedBatch struct {
	// Scope identifies the batch; Entries are the scopes of its entries.
	Scope   string
	Entries []string
	Adds    []participant.Add
	// MustExist refuses a batch that no replica holds.
	MustExist bool
}

// ErrUnknown means that no replica holds the batch.
var ErrUnknown = errors.New("the batch is not held")

// Options configure Batches.
type Options struct {
	Adder Adder
	// Shared is nil without replicas.
	Shared Shared
	// Interval is the time between two adds of an account.
	Interval time.Duration
	// Draining is closed when the process starts to shut down.
	Draining <-chan struct{}
	Logger   *slog.Logger
}

// Batches are the batches of this process. It is safe for concurrent use.
type Batches struct {
	options Options

	mu sync.Mutex
	// held are the batches with a request id, by their scope.
	held map[string]*batch
	// idle are those without a stream, in the order in which they became idle.
	idle []*batch
}

// New returns Batches without any batch.
func New(options Options) *Batches {
	return &Batches{options: options, held: map[string]*batch{}}
}

// Request is one call with a batch.
type Request struct {
	// Call is that of every entry, without Entry.
	Call write.Call
	Adds []participant.Add
	// Order are the indexes of the adds, in the order in which they are sent.
	Order []int
	// Resume refuses a batch that is not held.
	Resume bool
	// Check refuses the call because of the entries that are to be sent, by their indexes in the
	// order of the sending; nil refuses none. It does not get those of a batch that only other
	// replicas hold.
	Check func(ctx context.Context, unsent []int) error
	// Done is called for each outcome of an entry, from any goroutine; nil if nobody wants to know.
	// upstreamRequestID is that of the entry's last request.
	Done func(index int, added write.Added, err error, upstreamRequestID string)
}

// batch is one batch. Batches.mu guards it.
type batch struct {
	// scope is empty for a batch without a request id, which is not held.
	scope string
	// name is that of its place in the queue of adds.
	name    string
	entries []entry
	// request is the latest one, in the context values of its call.
	request Request
	values  context.Context //nolint:containedctx // Entries outlive the call that started them.

	streams int
	// adding is the number of entries whose adds run.
	adding int
	// sending is nil without a stream.
	sending *sending
	// keeping is true while a goroutine keeps the batch in the shared state.
	keeping bool
	// log are the indexes of the entries in the order of their outcomes. An entry that was sent
	// again is in it again.
	log []int
	// changed is closed, and replaced, when an entry changes, or the last stream has left.
	changed chan struct{}
	expiry  *time.Timer
}

type entry struct {
	add   participant.Add
	state state
	// added and err are the outcome.
	added write.Added
	err   error
}

type state uint8

const (
	waiting state = iota
	adding
	done
)

func newBatch(scope string, adds []participant.Add) *batch {
	b := &batch{scope: scope, name: rand.Text(), entries: make([]entry, len(adds)), changed: make(chan struct{})}
	for i, add := range adds {
		b.entries[i].add = add
	}
	return b
}

// Open begins or joins a batch. The stream must be closed.
func (b *Batches) Open(ctx context.Context, request Request) (*Stream, error) {
	if b.isDraining() {
		return nil, draining()
	}
	scope := request.Call.Scope()
	if scope == "" {
		if err := request.check(ctx, request.Order); err != nil {
			return nil, err
		}
		return b.join(ctx, newBatch("", request.Adds), request)
	}
	if held, unsent := b.find(scope, request); held != nil {
		if err := request.check(ctx, unsent); err != nil {
			return nil, err
		}
		return b.join(ctx, held, request)
	}
	if !request.Resume {
		if err := request.check(ctx, request.Order); err != nil {
			return nil, err
		}
	}
	if err := b.hold(ctx, scope, request); err != nil {
		return nil, err
	}
	return b.join(ctx, b.findOrAdd(scope, request.Adds), request)
}

func (r Request) check(ctx context.Context, unsent []int) error {
	if r.Check == nil || len(unsent) == 0 {
		return nil
	}
	return r.Check(ctx, unsent)
}

// hold notes in the shared state that the batch is held. Without one, a batch that must be held
// is refused.
func (b *Batches) hold(ctx context.Context, scope string, request Request) error {
	if b.options.Shared == nil {
		if request.Resume {
			return unknown()
		}
		return nil
	}
	shared := sharedBatch(scope, request)
	shared.MustExist = request.Resume
	switch err := b.options.Shared.KeepBatch(ctx, shared); {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnknown):
		return unknown()
	case errors.Is(err, write.ErrRequestIDReused):
		return reused()
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return sharedStateUnavailable(err)
	}
}

func sharedBatch(scope string, request Request) SharedBatch {
	shared := SharedBatch{Scope: scope, Adds: request.Adds, Entries: make([]string, len(request.Adds))}
	for i := range request.Adds {
		call := request.Call
		call.Entry = &write.Entry{Number: i + 1}
		shared.Entries[i] = call.Scope()
	}
	return shared
}

// find returns the batch of a request, and those of its entries that the request would send; nil if
// it is not held.
func (b *Batches) find(scope string, request Request) (held *batch, unsent []int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	held = b.held[scope]
	if held == nil || !held.isFor(request.Adds) {
		return held, nil
	}
	for _, index := range request.Order {
		if e := &held.entries[index]; e.state == waiting || e.isUnsent() {
			unsent = append(unsent, index)
		}
	}
	return held, unsent
}

func (b *Batches) findOrAdd(scope string, adds []participant.Add) *batch {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held[scope] == nil {
		b.held[scope] = newBatch(scope, adds)
	}
	return b.held[scope]
}

// join adds a stream to a batch, and starts what is to be sent for it.
func (b *Batches) join(ctx context.Context, joined *batch, request Request) (*Stream, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !joined.isFor(request.Adds) {
		return nil, reused()
	}
	stream := newStream(b, joined)
	joined.streams++
	values := context.WithoutCancel(ctx)
	joined.request, joined.values = request, values
	joined.stopExpiry()
	b.idle = slices.DeleteFunc(b.idle, func(idle *batch) bool { return idle == joined })
	joined.sendUnsentAgain()
	if joined.streams == 1 {
		joined.shortenLog()
		joined.sending = b.begin(values)
	}
	b.start(joined)
	return stream, nil
}

// isFor reports whether the batch has these adds.
func (b *batch) isFor(adds []participant.Add) bool {
	return slices.EqualFunc(b.entries, adds, func(e entry, add participant.Add) bool { return e.add == add })
}

// sendUnsentAgain makes the entries wait again that were surely not dialled, and that the
// upstream has not refused.
func (b *batch) sendUnsentAgain() {
	for i := range b.entries {
		if e := &b.entries[i]; e.isUnsent() {
			e.state = waiting
		}
	}
}

// shortenLog removes what no stream has to read from the log.
func (b *batch) shortenLog() {
	logged := make([]bool, len(b.entries))
	b.log = slices.DeleteFunc(b.log, func(index int) bool {
		again := logged[index] || b.entries[index].state != done
		logged[index] = true
		return again
	})
}

// isUnsent reports whether the entry has ended without being dialled or refused: then the next
// stream sends it again.
func (e *entry) isUnsent() bool {
	return e.state == done && e.err != nil && !write.Outcome{Err: apierror.From(e.err), IsEntry: true}.IsRemembered()
}

// leave removes a stream. Without any, what was not sent is stopped.
func (b *Batches) leave(left *batch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	left.streams--
	if left.streams == 0 {
		left.sending.stop()
		left.sending = nil
		left.notify()
	}
	b.expireIfIdle(left)
}

// expireIfIdle lets a batch expire that has neither a stream nor a running add.
func (b *Batches) expireIfIdle(idle *batch) {
	if idle.scope == "" || idle.streams > 0 || idle.adding > 0 {
		return
	}
	idle.stopExpiry()
	idle.expiry = time.AfterFunc(holdFor, func() { b.expire(idle) })
	b.idle = append(b.idle, idle)
	for total := entriesOf(b.idle); total > maxHeld; total = entriesOf(b.idle) {
		b.forget(b.idle[0])
	}
}

func entriesOf(batches []*batch) (total int) {
	for _, one := range batches {
		total += len(one.entries)
	}
	return total
}

func (b *Batches) expire(idle *batch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if idle.streams == 0 && idle.adding == 0 {
		b.forget(idle)
	}
}

func (b *Batches) forget(idle *batch) {
	idle.stopExpiry()
	if b.held[idle.scope] == idle {
		delete(b.held, idle.scope)
	}
	b.idle = slices.DeleteFunc(b.idle, func(other *batch) bool { return other == idle })
}

func (b *batch) stopExpiry() {
	if b.expiry != nil {
		b.expiry.Stop()
	}
}

// notify wakes those who wait for a change.
func (b *batch) notify() {
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *Batches) isDraining() bool {
	select {
	case <-b.options.Draining:
		return true
	default:
		return false
	}
}
