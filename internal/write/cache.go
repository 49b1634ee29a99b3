package write

import (
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Outcomes are remembered this long (A2), and this many at most.
const (
	outcomesFor = 10 * time.Minute
	maxOutcomes = 1 << 16
)

// request is what makes two adds the same (A2). Without an id it is like no other.
type request struct {
	caller string
	key    participant.Key
	id     string
}

// idempotencyCache holds the operations that a request id still leads to: those under
// way, and those that may have dialled. Writer.mu guards it.
type idempotencyCache struct {
	underWay map[request]*addOperation
	finished ttlMap[request, *addOperation]
}

func newCache() idempotencyCache {
	return idempotencyCache{
		underWay: make(map[request]*addOperation),
		finished: newTTLMap[request, *addOperation](outcomesFor, maxOutcomes),
	}
}

// find returns the operation that the request has led to, or nil.
func (c *idempotencyCache) find(r request, now time.Time) *addOperation {
	if op, found := c.underWay[r]; found {
		return op
	}
	op, _ := c.finished.get(r, now)
	return op
}

func (c *idempotencyCache) begin(op *addOperation) {
	if op.request.id != "" {
		c.underWay[op.request] = op
	}
}

// finish remembers the outcome of an operation that was begun and not forgotten, unless
// it surely did not dial.
func (c *idempotencyCache) finish(op *addOperation, now time.Time) {
	if c.underWay[op.request] != op {
		return
	}
	delete(c.underWay, op.request)
	if op.err == nil || op.err.Dialled == apierror.DialledUnknown {
		c.finished.put(op.request, op, now)
	}
}

// forget makes the request id free for a new operation.
func (c *idempotencyCache) forget(op *addOperation) {
	if c.underWay[op.request] == op {
		delete(c.underWay, op.request)
	}
}
