package write

import (
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// addOperation is one add under way: its arguments, and the calls that wait for its
// outcome. It holds nothing of a caller's context or credential, since outcomes are
// remembered for minutes.
type addOperation struct {
	request request
	add     participant.Add
	// began is when the first call began.
	began time.Time

	// Writer.mu guards the following.

	waiters []*waiter
	// slot is the place in the account's queue while the operation waits for its turn.
	slot Slot
	// limit is when the next request must have left, whatever the waiters' deadlines.
	limit time.Time
	// sender is the call whose answer is no replay (A2): the first one waiting when the
	// request left.
	sender *waiter
	// sentAt is zero until the request leaves, and again once it is known that it did
	// not reach the upstream.
	sentAt time.Time
	// sending is which of the gateway's adds this was when it was last sent.
	sending sending
	// ambiguous says that a participant found for this add may be another add's, and
	// that no list will ever show whose it is.
	ambiguous bool

	// settled is closed once item and err are set for good.
	settled chan struct{}
	item    participant.Item
	err     *apierror.Error
}

// waiter is one call that waits for an operation.
type waiter struct {
	// deadline is zero where the call has none.
	deadline time.Time
}

func newOperation(request request, add participant.Add) *addOperation {
	return &addOperation{request: request, add: add, began: time.Now(), settled: make(chan struct{})}
}

func (op *addOperation) sent() bool { return !op.sentAt.IsZero() }

func (op *addOperation) isSettled() bool {
	select {
	case <-op.settled:
		return true
	default:
		return false
	}
}

// join makes a call wait for the operation.
func (op *addOperation) join(one *waiter) {
	if !op.isSettled() {
		op.waiters = append(op.waiters, one)
		op.setDeadline()
	}
}

// leave makes a call wait no longer.
func (op *addOperation) leave(one *waiter) {
	op.waiters = slices.DeleteFunc(op.waiters, func(other *waiter) bool { return other == one })
	op.setDeadline()
}

// setDeadline tells the slot by when the request must leave: as long as somebody waits,
// but not beyond the limit.
func (op *addOperation) setDeadline() {
	if op.slot == nil {
		return
	}
	deadline := op.latestDeadline()
	if deadline.IsZero() || deadline.After(op.limit) {
		deadline = op.limit
	}
	op.slot.SetDeadline(deadline)
}

// latestDeadline is the latest deadline of the waiters; zero where one waits without a
// deadline.
func (op *addOperation) latestDeadline() time.Time {
	var latest time.Time
	for _, one := range op.waiters {
		if one.deadline.IsZero() {
			return time.Time{}
		}
		if one.deadline.After(latest) {
			latest = one.deadline
		}
	}
	return latest
}

// original is the call whose answer is no replay: the sender or, where nothing was
// sent, the first waiter; nil where there is none.
func (op *addOperation) original() *waiter {
	if op.sender == nil && len(op.waiters) > 0 {
		return op.waiters[0]
	}
	return op.sender
}

// answer is the outcome as one call gets it.
func (op *addOperation) answer(one *waiter) (Added, error) {
	added := Added{Participant: op.item, Replayed: one != op.sender}
	if op.err != nil {
		return added, op.err
	}
	return added, nil
}
