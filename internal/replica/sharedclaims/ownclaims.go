package sharedclaims

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// ownClaims has the claims of this replica, to write them again to a Redis that lost them.
type ownClaims struct {
	// changed receives when a claim may have to be written.
	changed chan struct{}

	mu     sync.Mutex
	claims map[string]*claim
	// unwritten are those whose end Redis may not have.
	unwritten map[*claim]struct{}
}

func newOwnClaims() ownClaims {
	return ownClaims{changed: make(chan struct{}, 1), claims: map[string]*claim{}, unwritten: map[*claim]struct{}{}}
}

func (o *ownClaims) add(c *claim) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.claims[c.attempt] = c
}

func (o *ownClaims) remove(c *claim) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.claims[c.attempt] == c {
		delete(o.claims, c.attempt)
	}
	delete(o.unwritten, c)
}

func (o *ownClaims) has(attempt string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.claims[attempt] != nil
}

func (o *ownClaims) setUnsettled(c *claim) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unwritten[c] = struct{}{}
	notify(o.changed)
}

// settled records that Redis has an ending of a claim. Only outcomes are kept.
func (o *ownClaims) settled(c *claim, end *ending) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != end {
		return
	}
	delete(o.unwritten, c)
	if end.kind == none || end.kind == released {
		delete(o.claims, c.attempt)
	}
}

// all returns the claims, and drops those that have expired.
func (o *ownClaims) all(now time.Time) []*claim {
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.DeleteFunc(o.claims, func(_ string, c *claim) bool { return c.isExpired(now) })
	return slices.Collect(maps.Values(o.claims))
}

// unsettled returns the claims whose end Redis may not have, and drops those that have expired.
func (o *ownClaims) unsettled(now time.Time) []*claim {
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.DeleteFunc(o.claims, func(_ string, c *claim) bool { return c.isExpired(now) })
	maps.DeleteFunc(o.unwritten, func(c *claim, _ struct{}) bool { return c.isExpired(now) })
	return slices.Collect(maps.Keys(o.unwritten))
}

// isExpired reports whether Redis would have dropped the claim.
func (c *claim) isExpired(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end != nil && now.Sub(c.changedAt) >= lifetime
}
