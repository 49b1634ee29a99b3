package main

import (
	"slices"
	"time"
)

// The values of Checkpoint.freshness.
const (
	fresh = "fresh"
	stale = "stale"
)

// flip is the first checkpoint with another freshness or stale reason than before.
type flip struct {
	at                time.Time
	freshness, reason string
}

// recordFreshness adds the checkpoint to the flips if it differs from the last one.
func (w *watcher) recordFreshness(c *checkpoint) {
	if n := len(w.flips); n > 0 && w.flips[n-1].freshness == c.Freshness && w.flips[n-1].reason == c.Reason {
		return
	}
	w.flips = append(w.flips, flip{time.Now(), c.Freshness, c.Reason})
}

// freshness returns the last reported freshness and stale reason.
func (w *watcher) freshness() (freshness, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.flips) == 0 {
		return "", ""
	}
	last := w.flips[len(w.flips)-1]
	return last.freshness, last.reason
}

// staleAfter returns how often the watcher was reported STALE since a time.
func (w *watcher) staleAfter(since time.Time) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.flips {
		if f.freshness == stale && f.at.After(since) {
			n++
		}
	}
	return n
}

// isFresh reports whether the last checkpoint said FRESH.
func isFresh(w *watcher) bool { freshness, _ := w.freshness(); return freshness == fresh }

// isStale returns a condition: the last checkpoint said STALE for the reason.
func isStale(reason string) func(*watcher) bool {
	return func(w *watcher) bool {
		freshness, got := w.freshness()
		return freshness == stale && got == reason
	}
}

// holds returns a condition: the watcher's roster has the participant, or has not.
func holds(id string, want bool) func(*watcher) bool {
	return func(w *watcher) bool {
		_, held := w.heldCopy()[id]
		return held == want
	}
}

// history describes the flips for a finding.
func (w *watcher) history() (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.flips {
		all = append(all, join(f.at.Format("04:05.0")+" "+f.freshness, f.reason))
	}
	return all
}

// freshBefore reports whether any checkpoint so far said FRESH.
func (w *watcher) freshBefore() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.flips, func(f flip) bool { return f.freshness == fresh })
}
