package write

import (
	"fmt"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Outcomes are kept for outcomeTTL (A2), at most maxOutcomes of them.
const (
	outcomeTTL  = 10 * time.Minute
	maxOutcomes = 1 << 16
)

// request identifies an add (A2): two adds with equal requests are the same, unless the id
// is empty.
type request struct {
	caller string
	key    participant.Key
	id     string
	// entry is the number of the entry of a batch; 0 for another add.
	entry int
}

func requestOf(call Call) request {
	r := request{caller: call.Caller, key: call.Key, id: call.RequestID}
	if call.Entry != nil {
		r.entry = call.Entry.Number
	}
	return r
}

// Scope identifies the add, or the entry, among all of all replicas; it is empty without a request
// id.
func (c Call) Scope() string { return requestOf(c).scope() }

// scope returns the request as replicas compare it; empty if it is equal to no other.
func (r request) scope() string {
	if r.id == "" {
		return ""
	}
	scope := fmt.Sprintf("%d %s %d %s %s", len(r.caller), r.caller, len(r.key.Conference), r.key.Conference, r.id)
	if r.entry > 0 {
		// A request id contains no line break.
		scope = fmt.Sprintf("%s\nentry %d", scope, r.entry)
	}
	return scope
}

// idempotencyCache finds operations by request id: the pending ones, and those that may have
// dialled. Writer.mu guards it.
type idempotencyCache struct {
	pending   map[request]*addOperation
	completed ttlMap[request, *addOperation]
}

func newCache() idempotencyCache {
	return idempotencyCache{
		pending:   make(map[request]*addOperation),
		completed: newTTLMap[request, *addOperation](outcomeTTL, maxOutcomes),
	}
}

// find returns the operation of a request, or nil.
func (c *idempotencyCache) find(r request, now time.Time) *addOperation {
	if op, found := c.pending[r]; found {
		return op
	}
	op, _ := c.completed.get(r, now)
	return op
}

func (c *idempotencyCache) begin(op *addOperation) {
	if op.request.id != "" {
		c.pending[op.request] = op
	}
}

// complete keeps the outcome of a pending operation, unless it certainly did not dial. That of
// another replica is kept by Shared, as long as A2 requires.
func (c *idempotencyCache) complete(op *addOperation, now time.Time) {
	if c.pending[op.request] != op {
		return
	}
	delete(c.pending, op.request)
	if !op.elsewhere && !op.isForgotten && op.outcome().IsRemembered() {
		c.completed.put(op.request, op, now)
	}
}

// forget makes the request id free for a new operation.
func (c *idempotencyCache) forget(op *addOperation) {
	if c.pending[op.request] == op {
		delete(c.pending, op.request)
	}
}

// ttlMap is a map that drops entries older than ttl, and the oldest ones if there are more
// than limit.
type ttlMap[K comparable, V any] struct {
	ttl    time.Duration
	limit  int
	values map[K]V
	// ages are the keys, the oldest first.
	ages []age[K]
}

type age[K comparable] struct {
	key K
	at  time.Time
}

func newTTLMap[K comparable, V any](ttl time.Duration, limit int) ttlMap[K, V] {
	return ttlMap[K, V]{ttl: ttl, limit: limit, values: make(map[K]V)}
}

func (m *ttlMap[K, V]) get(key K, now time.Time) (V, bool) {
	m.expire(now)
	value, found := m.values[key]
	return value, found
}

// put sets the value of key. A key that is already there keeps its age.
func (m *ttlMap[K, V]) put(key K, value V, now time.Time) {
	m.expire(now)
	if _, found := m.values[key]; !found {
		m.ages = append(m.ages, age[K]{key, now})
	}
	m.values[key] = value
	for len(m.ages) > m.limit {
		m.dropOldest()
	}
}

func (m *ttlMap[K, V]) expire(now time.Time) {
	for len(m.ages) > 0 && now.Sub(m.ages[0].at) >= m.ttl {
		m.dropOldest()
	}
}

func (m *ttlMap[K, V]) dropOldest() {
	delete(m.values, m.ages[0].key)
	m.ages = m.ages[1:]
}
