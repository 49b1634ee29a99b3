package sharedclaims

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/audian/participant-gateway/internal/write"
)

// acknowledgeTimeout is how long a mark waits for a replica of Redis.
const acknowledgeTimeout = 500 * time.Millisecond

// Mark implements write.Claim.
func (c *claim) Mark(ctx context.Context) error {
	r, err := c.store.runOn(ctx, func(run string) (reply, error) { return c.mark(ctx, run) })
	if err == nil && r.word() == "ok" {
		c.mu.Lock()
		c.state, c.number, c.sentAt, c.changedAt = marked, r.number(1), r.time(2), time.Now()
		c.mu.Unlock()
	}
	switch {
	case c.key == "":
		return nil
	case err == nil && r.word() != "ok":
		c.store.own.remove(c)
		return write.ErrTakenOver
	case err == nil && r.text(acknowledged) == "0":
		return write.ErrNotAcknowledged
	default:
		return err
	}
}

// acknowledged is the place of the number of replicas in the reply of mark, if it waited for
// them; in the script's own reply that of the replicas which Redis has.
const acknowledged = 3

// mark marks the claim and waits for a replica of Redis if there is one.
func (c *claim) mark(ctx context.Context, run string) (reply, error) {
	s := c.store
	keys := c.keys()
	args := []any{run, c.attempt, lifetime.Milliseconds(), c.isScoped(), c.encoded}
	if c.key == "" || s.conn.Replicas() == 0 {
		value, err := s.conn.Run(ctx, markScript, keys, args...)
		r := replyOf(value)
		if c.key == "" || err != nil || r.number(acknowledged) == 0 {
			return r[:min(len(r), acknowledged)], err
		}
		// Redis has a replica since a moment ago. The claim is marked again, with the wait.
	}
	pipe := s.conn.Client().Pipeline()
	script := pipe.Eval(ctx, markSource, keys, args...)
	acks := pipe.Do(ctx, "WAIT", 1, acknowledgeTimeout.Milliseconds())
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err //nolint:wrapcheck // The connection has classified it.
	}
	r := replyOf(script.Val())
	if r.word() == "ok" {
		r = append(r[:acknowledged:acknowledged], acks.Val())
	}
	return r, nil
}

// restore writes the claim to a Redis that may not have it.
func (c *claim) restore(ctx context.Context) error {
	c.mu.Lock()
	hasEnded, state, number, sentAt := c.end != nil, c.state, c.number, c.sentAt
	c.mu.Unlock()
	switch {
	case hasEnded:
		_, err := c.writeEnd(ctx)
		return err
	case state == "":
		return nil
	}
	if sentAt.IsZero() {
		sentAt = c.store.conn.Now()
	}
	_, err := c.store.conn.Run(ctx, restoreScript, c.keys(),
		c.attempt, c.store.members.ID(), c.hash, state, lifetime.Milliseconds(), c.isScoped(), c.encoded, number, sentAt.UnixMilli())
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}
