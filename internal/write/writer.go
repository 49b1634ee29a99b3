// Package write adds, removes and controls participants. It sends each add once, at the
// upstream's pace, and reconciles it with the conference's list if the answer is lost.
//
// Each add is an operation on its own goroutine. Before its request is sent, the operation
// continues only while a call waits for it. After that it continues without its callers (A6):
//
//	queued ──▶ sent ──▶ answered: success, or a refusal
//	   ▲         │ │
//	   └─────────┘ └───▶ lost ──▶ found in a list, or outcome unknown (A1)
//	   never reached
//	   the upstream
//
// Removes and controls are safe to send twice, so they run on their caller's goroutine.
package write

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/retry"
)

// Upstream is the account that writes are sent to. It returns an *apierror.Error for every
// failure that the upstream or the account itself explains.
type Upstream interface {
	// Reserve queues one add of the conference among the account's adds (A3). A batch that is not
	// empty has a place of its own beside the conference (A9). If it fails, nothing is queued.
	Reserve(ctx context.Context, conference, batch string) (Slot, error)
	// Remove sends one request.
	Remove(ctx context.Context, conference, id string) error
	// Control sends one request. The item has the id; its Fields are empty unless the response
	// contains the participant.
	Control(ctx context.Context, conference, id string, control participant.Control) (participant.Item, error)
	// MuteAll sends one request.
	MuteAll(ctx context.Context, conference string) error
	// ListToReconcile reads the conference's list for A1, before other lists of the account.
	ListToReconcile(ctx context.Context, conference string) (participant.List, error)
}

// Slot is the place of one add in the account's queue, for one request. Its owner calls
// Release in the end.
type Slot interface {
	// SetDeadline sets the time by which Wait must return; zero sets no bound. Any
	// goroutine may call it at any time, even after Wait. It does not block.
	SetDeadline(deadline time.Time)
	// Wait returns nil when the add may be sent. It fails at once if that cannot be before
	// the deadline, and when ctx ends.
	Wait(ctx context.Context) error
	// Send sends the add once. It returns a participant with an id, or an error. It returns
	// within a bounded time, even if ctx does not end.
	Send(ctx context.Context, add participant.Add) (participant.Item, error)
	// Release gives the slot back if it was not sent. After Send it does nothing.
	Release()
}

// Recorder passes writes to the feed of their conference, if there is one.
type Recorder interface {
	// Begin is called just before a request of an add or a remove is sent.
	Begin(ctx context.Context, key participant.Key) Record
	// BeginControl is called just before a request of a control is sent.
	BeginControl(ctx context.Context, key participant.Key) ControlRecord
	// BringForward makes the feed read its next list earlier.
	BringForward(ctx context.Context, key participant.Key)
}

// Record is one request of a write. Done is called at most once, and not at all if nothing
// is known to have been written.
type Record interface {
	// Before returns whether the feed's roster contained an id when the request was sent;
	// fresh is false if there was no feed, or a stale one.
	Before() (has func(id string) bool, fresh bool)
	// Done records that the upstream answered with success, or that A1 found the
	// participant.
	Done(w participant.Write)
}

// ControlRecord is one request of a control. Done is called at most once, and not at all if
// nothing is known to have been changed.
type ControlRecord interface {
	// Done records that the upstream carried the control out.
	Done(c participant.Controlled)
}

// Options configure a Writer.
type Options struct {
	// Recorder gets every write.
	Recorder Recorder
	// Logger gets no phone numbers and no names.
	Logger *slog.Logger
	// DefaultRegion is the region of national phone numbers when numbers are compared (A1);
	// empty if there is none.
	DefaultRegion string
	// SearchTimeout is how long lists are read for an add that lost its answer (A1); 0 means ten
	// seconds.
	SearchTimeout time.Duration
	// Shared is what replicas know together; nil without replicas.
	Shared Shared
}

// Writer sends adds, removes and controls for all accounts of the gateway. It is safe for
// concurrent use; Close ends its goroutines.
type Writer struct {
	recorder Recorder
	log      *slog.Logger
	compare  comparison
	retries  *retry.Policy
	shared   Shared
	// searchTimeout is Options.SearchTimeout.
	searchTimeout time.Duration

	running sync.WaitGroup

	// mu guards the following fields and the changing fields of every operation. Under it
	// only Slot.SetDeadline is called.
	mu     sync.Mutex
	cache  idempotencyCache
	claims claims
	// operations are those with a running goroutine, each with the function that cancels it.
	operations map[*addOperation]context.CancelFunc
	closed     bool
}

// New returns a Writer.
func New(options Options) *Writer {
	compare := comparison{defaultRegion: options.DefaultRegion}
	return &Writer{
		recorder: options.Recorder,
		log:      options.Logger,
		compare:  compare,
		retries:  retry.New(maxRetries),
		shared:   options.Shared,

		searchTimeout: cmp.Or(options.SearchTimeout, searchTimeout),

		cache:      newCache(),
		claims:     newClaims(compare),
		operations: make(map[*addOperation]context.CancelFunc),
	}
}

// Call is the destination and the caller of a write.
type Call struct {
	Key      participant.Key
	Upstream Upstream
	// Caller scopes the request id: two callers may use the same one.
	Caller string
	// RequestID makes an add safe to repeat (A2); empty if the caller sent none.
	RequestID string
	// DailyLimit limits the caller's adds; nil does not.
	DailyLimit DailyLimit
	// Entry is nil for an add that is not an entry of a batch.
	Entry *Entry
}

// Entry makes an add an entry of a batch (A9). The batch has the request id.
type Entry struct {
	// Batch names the place of the batch in the queue of the account's adds.
	Batch string
	// Number is that of the entry, from 1.
	Number int
	// Left is called when the add no longer waits for a turn of this process: sent is false if
	// another replica has claimed it. It may be called several times, and must not block.
	Left func(sent bool)
}

// DailyLimit limits the adds of a caller by day (A14). Its errors are *apierror.Error with Dialled,
// or that of ctx.
type DailyLimit interface {
	// Check fails if no add is left of the day. It counts nothing.
	Check(ctx context.Context) error
	// Count counts an add just before its request is sent. giveBack undoes that once: the add
	// surely did not dial.
	Count(ctx context.Context) (giveBack func(), err error)
}

// Drain waits until no add is pending, including those without a waiting caller. It fails
// only if ctx ends first.
func (w *Writer) Drain(ctx context.Context) error {
	for op := w.pending(); op != nil; op = w.pending() {
		select {
		case <-op.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// pending returns an operation without an outcome, or nil.
func (w *Writer) pending() *addOperation {
	w.mu.Lock()
	defer w.mu.Unlock()
	for op := range w.operations {
		if !op.isDone() {
			return op
		}
	}
	return nil
}

// Abandon answers every pending add, shortly before the process ends (W16):
// ADD_OUTCOME_UNKNOWN if its request was sent, DRAINING if it was not. It cancels no request
// that was sent. Later adds are refused.
func (w *Writer) Abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for op := range w.operations {
		if op.isSent() {
			w.complete(op, participant.Item{}, outcomeUnknown(nil))
			continue
		}
		refused := draining()
		refused.Dialled = w.dialledUnsent(op)
		w.complete(op, participant.Item{}, refused)
		w.cancel(op)
	}
}

// Close abandons pending adds, cancels their requests and returns when every goroutine has
// ended.
func (w *Writer) Close() {
	w.Abandon()
	w.mu.Lock()
	for _, cancel := range w.operations {
		cancel()
	}
	w.mu.Unlock()
	w.running.Wait()
}

func draining() *apierror.Error {
	return &apierror.Error{
		Reason:     apierror.Draining,
		Message:    "the gateway is shutting down and did not send the add",
		Dialled:    apierror.DialledNo,
		RetryAfter: time.Second,
	}
}
