package sharedclaims

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/write"
)

// ending is how an attempt ended.
type ending struct {
	kind    string
	outcome string
	// participants are the created one, or those that may have been created.
	participants []string
}

// The kinds of endings.
const (
	success  = "success"
	unknown  = "unknown"
	refused  = "refused"
	none     = "none"
	released = "released"
)

// lastAddLifetime is how long after a success a 404 counts as lag (W1).
const lastAddLifetime = 10 * time.Second

// Settle implements write.Claim.
func (c *claim) Settle(ctx context.Context, outcome write.Outcome) (write.Outcome, error) {
	end, err := endingOf(outcome)
	if err != nil {
		return outcome, err
	}
	c.endWith(end)
	r, err := c.writeEnd(ctx)
	if err != nil {
		return outcome, err
	}
	outcome.AnsweredAt = c.store.localTime(r.time(1))
	if r.word() == "outcome" {
		outcome = decodeOutcome(r.text(1))
		outcome.AnsweredAt = c.store.localTime(r.time(2))
	}
	return outcome, nil
}

func endingOf(outcome write.Outcome) (*ending, error) {
	text, err := encodeOutcome(outcome)
	end := &ending{kind: none, outcome: text}
	switch {
	case outcome.Err == nil:
		end.kind, end.participants = success, []string{outcome.Item.ID}
	case outcome.IsRemembered() && outcome.Err.Dialled == apierror.DialledNo:
		end.kind = refused
	case outcome.IsRemembered():
		end.kind, end.participants = unknown, outcome.Candidates
	}
	return end, err
}

// Release implements write.Claim.
func (c *claim) Release(ctx context.Context) {
	c.endWith(&ending{kind: released})
	_, _ = c.writeEnd(ctx)
}

func (c *claim) endWith(end *ending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end, c.changedAt = end, time.Now()
}

// writeEnd writes how the attempt ended. If it fails, the store tries again.
func (c *claim) writeEnd(ctx context.Context) (reply, error) {
	c.mu.Lock()
	end, number := c.end, c.number
	isNothing := c.key == "" && number == 0 && (end.kind == none || end.kind == released)
	c.mu.Unlock()
	if isNothing {
		c.store.own.remove(c)
		return nil, nil
	}
	s := c.store
	keys := append(c.keys(), s.lastAddKey(c.add.Conference))
	for _, id := range end.participants {
		keys = append(keys, c.participantKey(id))
	}
	value, err := s.conn.Run(ctx, settleScript, keys,
		c.attempt, s.members.ID(), c.hash, end.kind, end.outcome, lifetime.Milliseconds(), freeLifetime.Milliseconds(),
		lastAddLifetime.Milliseconds(), c.isScoped(), s.channel(), number)
	if err != nil {
		s.own.setUnsettled(c)
		return nil, err
	}
	s.own.settled(c, end)
	return replyOf(value), nil
}
