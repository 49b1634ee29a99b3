package main

import (
	"fmt"
	"time"
)

// mostDifference is how long a client's freshness may differ from that of the driver's own watch.
const mostDifference = 3 * time.Second

// claimsOf returns what the states of a watch say about freshness.
func claimsOf(lines []line) []claim {
	var all []claim
	for _, l := range lines {
		s := l.state
		known := s.State == snapshotState || s.State == changesState || s.State == freshnessState
		all = appendClaim(all, claim{at: l.at, known: known, fresh: s.Fresh, reason: s.StaleReason})
	}
	return all
}

// claimsDiffer compares what a client says about freshness with the truth, until a time.
func claimsDiffer(client, truth []claim, until time.Time) []string {
	var found []string
	for i, said := range client {
		for j, was := range truth {
			from := later(said.at, was.at)
			to := earlier(endOf(client, i, until), endOf(truth, j, until))
			differs := said.fresh != was.fresh || said.reason != was.reason
			if said.known && was.known && differs && to.Sub(from) > mostDifference {
				found = append(found, fmt.Sprintf("said %s for %v while the gateway said %s",
					said, to.Sub(from).Round(100*time.Millisecond), was))
			}
		}
	}
	return found
}

func endOf(claims []claim, i int, until time.Time) time.Time {
	if i+1 < len(claims) {
		return claims[i+1].at
	}
	return until
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// String returns the freshness.
func (c claim) String() string {
	if c.fresh {
		return "fresh"
	}
	return "stale (" + c.reason + ")"
}
