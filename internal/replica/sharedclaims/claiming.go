package sharedclaims

import (
	"context"
	"errors"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/write"
)

// Claim implements write.Shared.
func (s *Store) Claim(ctx context.Context, add write.SharedAdd) (write.Claimed, error) {
	c, err := s.newClaim(add)
	if err != nil {
		return write.Claimed{}, err
	}
	if c.key == "" {
		s.own.add(c)
		return write.Claimed{Claim: c}, nil
	}
	if err := s.settleEarlier(ctx, c.key); err != nil {
		return write.Claimed{}, err
	}
	ended, leave := s.waiters.add(c.key)
	defer leave()
	for waited, gone := "", ""; ; {
		r, err := c.claim(ctx, waited, gone)
		if err != nil {
			return write.Claimed{}, err
		}
		if r.word() != "wait" {
			return c.claimed(r)
		}
		waited = r.text(1)
		if gone = s.gone(r.text(2), waited); gone != "" {
			continue
		}
		if add.Waits != nil {
			add.Waits()
		}
		if err := wait(ctx, ended); err != nil {
			return write.Claimed{}, err
		}
	}
}

// settleEarlier writes how earlier attempts of this replica ended, so that a new one begins after
// them.
func (s *Store) settleEarlier(ctx context.Context, key string) error {
	for _, c := range s.own.unsettled(time.Now()) {
		if c.key != key {
			continue
		}
		if _, err := c.writeEnd(ctx); errors.Is(err, redisconn.ErrUnavailable) {
			return err
		}
	}
	return nil
}

// claim asks for the claim once. It is among the replica's own claims before Redis may have it.
func (c *claim) claim(ctx context.Context, waited, gone string) (reply, error) {
	s := c.store
	if err := s.conn.Err(); err != nil {
		return nil, err
	}
	s.own.add(c)
	r, err := s.runOn(ctx, func(run string) (reply, error) {
		if err := s.settled(ctx); err != nil {
			return nil, err
		}
		value, err := s.conn.Run(ctx, claimScript, []string{c.key},
			run, s.members.ID(), c.attempt, c.hash, lifetime.Milliseconds(), waited, gone)
		return replyOf(value), err
	})
	switch {
	case err == nil && r.word() == "won":
		c.setState(claimed)
		return r, nil
	case err != nil && ctx.Err() == nil && !errors.Is(err, redisconn.ErrUnavailable):
		// Redis cannot read what is there.
		s.own.remove(c)
		return reply{"unreadable"}, nil
	case err != nil:
		// Redis may have the claim.
		c.endWith(&ending{kind: released})
		s.own.setUnsettled(c)
		return nil, err
	default:
		s.own.remove(c)
		return r, nil
	}
}

// claimed returns what a reply other than "wait" means.
func (c *claim) claimed(r reply) (write.Claimed, error) {
	switch r.word() {
	case "won":
		return write.Claimed{Claim: c}, nil
	case "orphan":
		c.adopt(r)
		return write.Claimed{Claim: c, SentAt: c.store.localTime(r.time(2))}, nil
	case "outcome":
		outcome := decodeOutcome(r.text(1))
		outcome.AnsweredAt = c.store.localTime(r.time(2))
		return write.Claimed{Outcome: &outcome}, nil
	case "reused":
		return write.Claimed{}, write.ErrRequestIDReused
	case "late":
		return write.Claimed{}, redisconn.ErrUnavailable
	default:
		outcome := unreadable(nil)
		outcome.AnsweredAt = time.Now()
		return write.Claimed{Outcome: &outcome}, nil
	}
}

// adopt makes this the claim of a replica that is gone.
func (c *claim) adopt(r reply) {
	c.mu.Lock()
	c.attempt, c.state, c.sentAt, c.number = r.text(1), marked, r.time(2), r.number(3)
	c.mu.Unlock()
	c.store.own.add(c)
}

func (c *claim) setState(state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state, c.changedAt = state, time.Now()
}

// gone returns the replica that should end an attempt if it will not; empty if it may.
func (s *Store) gone(owner, attempt string) string {
	if owner == s.members.ID() && !s.own.has(attempt) || !s.members.Alive(owner) {
		return owner
	}
	return ""
}

// wait waits until a claim may have ended.
func wait(ctx context.Context, ended <-chan struct{}) error {
	timer := time.NewTimer(rereadInterval)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
