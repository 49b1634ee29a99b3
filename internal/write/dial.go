package write

import (
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// dial is one add under way: what was asked for, and the callers that wait for its
// outcome. It holds nothing of a caller's context or credential, since outcomes are
// remembered for minutes.
type dial struct {
	request request
	add     participant.Add
	// began is when the call began, by which A1 judges who joined since.
	began time.Time

	// Writer.mu guards the following.

	callers []*caller
	// sender is the caller whose answer is no replay (A2): the first one waiting when
	// the request left.
	sender *caller
	// sentAt is zero until the request leaves, and again once it is known that it did
	// not reach the upstream.
	sentAt time.Time
	// sending is which of the gateway's adds this was when it was last sent.
	sending sending
	// contested says that what A1 could find for this add may be another's, and that
	// nobody will ever know.
	contested bool

	// settled is closed once item and err are set for good.
	settled chan struct{}
	item    participant.Item
	err     *participant.Error
}

// caller is one call that waits for a dial.
type caller struct {
	// deadline is zero where the call has none.
	deadline time.Time
}

func newDial(request request, add participant.Add) *dial {
	return &dial{request: request, add: add, began: time.Now(), settled: make(chan struct{})}
}

func (d *dial) sent() bool { return !d.sentAt.IsZero() }

func (d *dial) isSettled() bool {
	select {
	case <-d.settled:
		return true
	default:
		return false
	}
}

// join makes a caller wait for the dial.
func (d *dial) join(c *caller) {
	if !d.isSettled() {
		d.callers = append(d.callers, c)
	}
}

// leave makes a caller wait no longer.
func (d *dial) leave(c *caller) {
	d.callers = slices.DeleteFunc(d.callers, func(other *caller) bool { return other == c })
}

// patience is the latest deadline among those who wait; zero where somebody waits
// without one.
func (d *dial) patience() time.Time {
	var latest time.Time
	for _, c := range d.callers {
		if c.deadline.IsZero() {
			return time.Time{}
		}
		if c.deadline.After(latest) {
			latest = c.deadline
		}
	}
	return latest
}

// answered is the caller whose answer is no replay: the sender or, where nothing was
// sent, the first of those who wait; nil where nobody waited.
func (d *dial) answered() *caller {
	if d.sender == nil && len(d.callers) > 0 {
		return d.callers[0]
	}
	return d.sender
}

// answer is the outcome as one caller learns it.
func (d *dial) answer(c *caller) (Added, error) {
	added := Added{Participant: d.item, Replayed: c != d.sender}
	if d.err != nil {
		return added, d.err
	}
	return added, nil
}
