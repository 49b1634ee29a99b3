package main

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchclient"
)

// convergeWithin is how long it may take until all hold the same roster: the longest back-
// off of the gateway, and a list of each conference.
const convergeWithin = 30 * time.Second

// converge ends all faults, pauses all changes, and waits until all hold the upstream's
// roster.
func (w *harness) converge(ctx context.Context) {
	w.mutations.Lock()
	defer w.mutations.Unlock()
	w.upstream.ClearFaults()
	w.network.set(networkFault{})
	if w.cluster != nil {
		w.cluster.restore()
	}
	w.awaitTruth(ctx)
	if w.cluster != nil {
		w.auditCluster(ctx)
	}
}

// awaitTruth waits until every watcher, and a list through the gateway, hold the
// upstream's roster (W2), and records the differences if they do not in time.
func (w *harness) awaitTruth(ctx context.Context) {
	var violations []violation
	if eventually(ctx, convergeWithin, func() bool { violations = w.compare(ctx); return len(violations) == 0 }) {
		w.results.check("times that all held the upstream's roster", 1)
		return
	}
	for _, b := range violations {
		if ctx.Err() == nil {
			w.results.violatef(b.rule, "after changes paused: %s", b.what)
		}
	}
}

// compare returns the differences from the upstream's roster.
func (w *harness) compare(ctx context.Context) (found []violation) {
	for _, watcher := range w.watchers {
		want := filtered(truthOf(w.upstream.Participants(watcher.conference)), watcher.connected)
		found = append(found, differences(watcher.name(), watcher.heldCopy(), want)...)
	}
	for _, conference := range w.conferences {
		truth := truthOf(w.upstream.Participants(conference))
		listed, err := w.list(ctx, conference)
		if err != nil {
			found = append(found, violation{changesLost, err.Error()})
			continue
		}
		got := roster{}
		for _, p := range listed {
			got[p.ID] = p
		}
		found = append(found, differences("list of "+conference, got, truth)...)
	}
	return found
}

// differences returns what a roster lacks of the true one, and what it has in addition.
func differences(name string, held, truth roster) (found []violation) {
	for id, p := range truth {
		if held[id] != p {
			found = append(found, violation{changesLost, fmt.Sprintf("%s holds %v for %v", name, held[id], p)})
		}
	}
	for id, p := range held {
		if _, there := truth[id]; !there {
			found = append(found, violation{changesInvented, fmt.Sprintf("%s holds %v", name, p)})
		}
	}
	return found
}

func truthOf(participants []simulator.Participant) roster {
	truth := roster{}
	for _, p := range participants {
		truth[p.ID] = member{
			ID: p.ID, Phone: p.PhoneNumber, Name: p.Name, Role: p.Role, Status: p.Status, Muted: p.Muted,
			Joined: watchclient.InstantOf(p.JoinedAt.Truncate(time.Second)), // The upstream writes whole seconds.
		}
	}
	return truth
}

// filtered returns a roster through a watcher's filter.
func filtered(r roster, connected bool) roster {
	shown := maps.Clone(r)
	if connected {
		maps.DeleteFunc(shown, func(_ string, p member) bool { return p.Status != "connected" })
	}
	return shown
}
