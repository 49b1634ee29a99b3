package write

import (
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// maxQueueTime bounds the first wait for a slot if no caller has a deadline.
const maxQueueTime = 10 * time.Minute

// addOperation is one add: its arguments, and the calls that wait for its outcome. It holds
// no context and no credential of a caller, because outcomes are kept for minutes.
type addOperation struct {
	request request
	add     participant.Add
	// entry is nil for an add that is not an entry of a batch.
	entry *Entry
	// limit is that of the call that began the operation; nil for none.
	limit DailyLimit

	// Writer.mu guards the following.

	waiters []*waiter
	// slot is the last reserved slot; nil after the request was sent.
	slot Slot
	// sendBefore bounds the time of the next request, regardless of the waiters' deadlines.
	sendBefore time.Time
	// sender is the call whose result is not a replay (A2): the first waiter when the
	// request was sent.
	sender *waiter
	// sentAt is zero until the request is sent, and again after the upstream certainly did
	// not carry it out.
	sentAt time.Time
	// sequence is the number of the operation's last request among the gateway's adds.
	sequence sequence
	// ambiguous is true if a participant that matches this add may belong to another add,
	// and no list can show which.
	ambiguous bool

	// claim is the claim that the replicas share; nil without replicas, and before this process
	// has it. isMarked is true once nobody else may send the add.
	claim    Claim
	isMarked bool
	// candidates are the ids of participants that an add with an unknown outcome may have
	// created, for the other replicas.
	candidates []string
	// elsewhere is true if another replica sent the add: every result here is a replay.
	elsewhere bool
	// isForgotten is true if later calls with the request id do not get the outcome.
	isForgotten bool

	// done is closed when answeredAt, item and err are final.
	done       chan struct{}
	answeredAt time.Time
	item       participant.Item
	err        *apierror.Error
}

// waiter is one call that waits for an operation.
type waiter struct {
	// deadline is zero if the call has none.
	deadline time.Time
}

func newOperation(request request, add participant.Add, first *waiter) *addOperation {
	return &addOperation{
		request: request, add: add, waiters: []*waiter{first},
		sendBefore: time.Now().Add(maxQueueTime), done: make(chan struct{}),
	}
}

func (op *addOperation) isSent() bool { return !op.sentAt.IsZero() }

func (op *addOperation) isDone() bool {
	select {
	case <-op.done:
		return true
	default:
		return false
	}
}

// join adds a waiter to an operation without an outcome.
func (op *addOperation) join(w *waiter) {
	if !op.isDone() {
		op.waiters = append(op.waiters, w)
		op.updateSlot()
	}
}

func (op *addOperation) leave(w *waiter) {
	op.waiters = slices.DeleteFunc(op.waiters, func(other *waiter) bool { return other == w })
	op.updateSlot()
}

// updateSlot sets the slot's deadline: the latest of the waiters' deadlines, but at most
// sendBefore.
func (op *addOperation) updateSlot() {
	if op.slot == nil {
		return
	}
	deadline := op.latestDeadline()
	if deadline.IsZero() || deadline.After(op.sendBefore) {
		deadline = op.sendBefore
	}
	op.slot.SetDeadline(deadline)
}

// latestDeadline returns the latest deadline of the waiters; zero if one has none.
func (op *addOperation) latestDeadline() time.Time {
	var latest time.Time
	for _, w := range op.waiters {
		if w.deadline.IsZero() {
			return time.Time{}
		}
		if w.deadline.After(latest) {
			latest = w.deadline
		}
	}
	return latest
}

// original returns the call whose result is not a replay: the sender or, if nothing was
// sent, the first waiter. It may be nil.
func (op *addOperation) original() *waiter {
	if op.elsewhere {
		return nil
	}
	if op.sender == nil && len(op.waiters) > 0 {
		return op.waiters[0]
	}
	return op.sender
}

// setAnsweredAt sets when the outcome was shared, unless the callers have another one.
func (op *addOperation) setAnsweredAt(at time.Time) {
	if !op.isDone() {
		op.answeredAt = at
	}
}

// outcome returns the outcome of an operation that is done.
func (op *addOperation) outcome() Outcome {
	return Outcome{Item: op.item, Err: op.err, IsEntry: op.entry != nil}
}

// leaveQueue reports that the operation waits for no turn of this process.
func (op *addOperation) leaveQueue(sent bool) {
	if op.entry != nil {
		op.entry.Left(sent)
	}
}

// batch returns the name of the operation's batch, or the empty string.
func (op *addOperation) batch() string {
	if op.entry == nil {
		return ""
	}
	return op.entry.Batch
}

// isReused reports whether another replica has the request id for another add.
func (op *addOperation) isReused() bool {
	return op.err != nil && op.err.Reason == apierror.RequestIDReused
}

// resultFor returns the outcome for one of the calls.
func (op *addOperation) resultFor(w *waiter) (Added, error) {
	added := Added{Participant: op.item, AnsweredAt: op.answeredAt, Replayed: w != op.sender && !op.isReused()}
	if op.err != nil {
		return added, op.err
	}
	return added, nil
}
