package sharedclaims

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// book has this replica's claims, to write them again to a Redis that lost them.
type book struct {
	// changed receives when a claim may have to be written.
	changed chan struct{}

	mu     sync.Mutex
	claims map[string]*claim
	// unwritten are those whose end Redis may not have.
	unwritten map[*claim]struct{}
}

func newBook() book {
	return book{changed: make(chan struct{}, 1), claims: map[string]*claim{}, unwritten: map[*claim]struct{}{}}
}

func (b *book) add(c *claim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.claims[c.attempt] = c
}

func (b *book) remove(c *claim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.claims[c.attempt] == c {
		delete(b.claims, c.attempt)
	}
	delete(b.unwritten, c)
}

func (b *book) has(attempt string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.claims[attempt] != nil
}

func (b *book) setUnsettled(c *claim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unwritten[c] = struct{}{}
	notify(b.changed)
}

// settled notes that Redis has an ending of a claim. Only outcomes are worth keeping.
func (b *book) settled(c *claim, end *ending) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != end {
		return
	}
	delete(b.unwritten, c)
	if end.kind == none || end.kind == released {
		delete(b.claims, c.attempt)
	}
}

// all returns the claims, and drops those that have expired.
func (b *book) all(now time.Time) []*claim {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.claims, func(_ string, c *claim) bool { return c.isExpired(now) })
	return slices.Collect(maps.Values(b.claims))
}

// unsettled returns the claims whose end Redis may not have, and drops those that have expired.
func (b *book) unsettled(now time.Time) []*claim {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.claims, func(_ string, c *claim) bool { return c.isExpired(now) })
	maps.DeleteFunc(b.unwritten, func(c *claim, _ struct{}) bool { return c.isExpired(now) })
	return slices.Collect(maps.Keys(b.unwritten))
}

// isExpired reports whether Redis would have dropped the claim.
func (c *claim) isExpired(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end != nil && now.Sub(c.changedAt) >= lifetime
}
