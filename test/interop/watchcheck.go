package main

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// watchCheck compares the states of one watch, in their order, with the truth. It keeps every position
// of the truth at which the client can be, because the same roster can occur more than once.
type watchCheck struct {
	views []view
	// roster and claim are those of the last state, positions where the client can be after it.
	roster    map[string]string
	positions []int
	claim     claim
	// since is when the last state came; retryAfter is the delay that an error of it demanded.
	since      time.Time
	retryAfter time.Duration
	closed     bool
	found      []string
}

// newWatchCheck returns a check of a watch with a filter that begins without a token.
func newWatchCheck(t truth, f filter) *watchCheck {
	c := &watchCheck{roster: map[string]string{}}
	for i, roster := range t.rosters {
		c.views = append(c.views, f.view(roster))
		c.positions = append(c.positions, i)
	}
	return c
}

// resume makes the check that of a watch which continues from the last state of another one.
func (c *watchCheck) resume(earlier *watchCheck) {
	c.roster, c.positions = earlier.roster, earlier.positions
	c.claim = earlier.claim
}

// check checks all states.
func (c *watchCheck) check(lines []line) []string {
	for _, l := range lines {
		c.next(l)
	}
	return c.found
}

func (c *watchCheck) problemf(l line, format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf("%s: %s", shorten(l.text), fmt.Sprintf(format, args...)))
}

func (c *watchCheck) next(l line) {
	if c.closed {
		c.problemf(l, "comes after the last line")
		return
	}
	s := l.state
	switch s.State {
	case snapshotState:
		c.snapshot(l)
	case changesState:
		c.changes(l)
	case freshnessState, disconnectedState, endState:
		c.unchanged(l)
	case "":
		c.closed = l.final()
		if !c.closed {
			c.problemf(l, "is neither a state nor the last line")
		}
		return
	default:
		c.problemf(l, "unknown state %q", s.State)
	}
	c.freshness(l)
	c.delay(l)
	c.roster, c.since = s.Roster, l.at
}

// snapshot is a roster of the truth, not before the last one.
func (c *watchCheck) snapshot(l line) {
	var reached []int
	for at := c.earliest(); at < len(c.views); at++ {
		if c.views[at].equals(l.state) {
			reached = append(reached, at)
		}
	}
	if len(reached) == 0 {
		c.problemf(l, "the conference had no such roster or totals at that time")
	}
	c.positions = reached
}

func (c *watchCheck) earliest() int {
	if len(c.positions) == 0 {
		return 0
	}
	return c.positions[0]
}

func (v view) equals(s state) bool {
	return maps.Equal(v.words, s.Roster) &&
		(s.Total == nil || *s.Total == v.total) && (s.Active == nil || *s.Active == v.active)
}

// changes lead from the last roster to the next one of the truth.
func (c *watchCheck) changes(l line) {
	if len(l.state.Changes) == 0 {
		c.problemf(l, "has no changes")
	}
	members := maps.Clone(c.roster)
	for _, ch := range l.state.Changes {
		if problem := apply(members, ch, l.state.Roster); problem != "" {
			c.problemf(l, "%s", problem)
		}
	}
	if !maps.Equal(members, l.state.Roster) {
		c.problemf(l, "the changes lead to %s", show(members))
	}
	reached := c.follow(l.state.Roster)
	if len(reached) == 0 {
		c.problemf(l, "is not the state that follows; the last one was %s", show(c.roster))
	}
	c.positions = reached
}

// follow returns the positions where the next message leads to a roster.
func (c *watchCheck) follow(roster map[string]string) []int {
	var reached []int
	for _, at := range c.positions {
		next := at + 1
		for next < len(c.views) && maps.Equal(c.views[next].members, c.views[at].members) {
			next++
		}
		fits := next < len(c.views) && maps.Equal(c.views[next].words, roster)
		if fits && (len(reached) == 0 || reached[len(reached)-1] != next) {
			reached = append(reached, next)
		}
	}
	return reached
}

// apply applies a change to the words of a roster. The muted mark is not part of a change, so it is
// taken from the roster after it.
func apply(members map[string]string, ch change, after map[string]string) (problem string) {
	before, holds := members[ch.Participant]
	if holds == (ch.Kind == "added") {
		return fmt.Sprintf("%s of %s, who was in the roster: %t", ch.Kind, ch.Participant, holds)
	}
	if holds && status(before) != ch.PreviousStatus {
		problem = fmt.Sprintf("previous_status of %s is %q, and was %q", ch.Participant, ch.PreviousStatus, status(before))
	}
	switch ch.Kind {
	case "added", "updated":
		members[ch.Participant] = word(ch.Status, strings.HasSuffix(after[ch.Participant], mutedMark))
	case "removed", "left_filter":
		delete(members, ch.Participant)
	default:
		return fmt.Sprintf("unknown kind %q", ch.Kind)
	}
	return problem
}

const mutedMark = "+muted"

func status(word string) string { return strings.TrimSuffix(word, mutedMark) }

// unchanged states have the roster of the state before.
func (c *watchCheck) unchanged(l line) {
	if !maps.Equal(c.roster, l.state.Roster) {
		c.problemf(l, "changes the roster, which was %s", show(c.roster))
	}
	if l.state.State == disconnectedState && l.state.Error == nil {
		c.problemf(l, "has no error")
	}
}

// freshness checks what the state says about it by itself; claimsDiffer compares it with the truth.
func (c *watchCheck) freshness(l line) {
	s := l.state
	now := claim{at: l.at, known: s.State != disconnectedState && s.State != endState, fresh: s.Fresh, reason: s.StaleReason}
	switch {
	case s.State == endState:
	case s.Fresh != (s.StaleReason == ""):
		c.problemf(l, "fresh is %t with the stale_reason %q", s.Fresh, s.StaleReason)
	case (s.State == disconnectedState) != (s.StaleReason == "DISCONNECTED"):
		c.problemf(l, "the stale_reason is %q", s.StaleReason)
	case s.State == freshnessState && now.fresh == c.claim.fresh && now.reason == c.claim.reason:
		c.problemf(l, "says nothing new")
	}
	c.claim = now
}

// delay checks that the client waited as long as the last error demanded.
func (c *watchCheck) delay(l line) {
	if waited := l.at.Sub(c.since); c.retryAfter > 0 && waited+50*time.Millisecond < c.retryAfter {
		c.problemf(l, "comes after %v; the error before demanded to wait %v", waited.Round(time.Millisecond), c.retryAfter)
	}
	c.retryAfter = 0
	if l.state.State == disconnectedState && l.state.Error != nil {
		c.retryAfter = time.Duration(l.state.Error.RetryAfterMS) * time.Millisecond
	}
}
