package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

const (
	// listLag is how long lists do not show a write: less than the 5 s that W6 tolerates.
	listLag = 4 * time.Second
	// writeWithin is how soon watchers must see a write: at once (W5), on a slow machine.
	writeWithin = 2 * time.Second
	// laggingWrites is how many participants are added and removed.
	laggingWrites = 4
)

// laggingLists makes lists show adds and removes seconds late. Watchers see each write at
// once, and nothing takes it back (W5, W6).
func laggingLists(ctx context.Context, w *harness, _ *rand.Rand) error {
	const conference = "conf_lag"
	return w.isolated(ctx, simulator.Options{ListLag: listLag}, defaultPolls(), func(ctx context.Context, h *harness) error {
		h.conferences = []string{conference}
		h.fill(conference, 3)
		all := h.watch(ctx, h.conferences, both...)
		h.await(ctx, changesLost, "a snapshot", listLag+firstWithin, all, holds(visitor(2).ID, true))
		for n := range laggingWrites {
			h.writers.add(ctx, conference, n%2 == 0, false)
		}
		h.writers.requireAll(succeeded)
		added := h.writers.present(conference)
		h.stays(ctx, "held", all, added, true)
		for n, id := range added {
			h.writers.remove(ctx, conference, id, n%2 == 0)
		}
		h.stays(ctx, "removed", all, added, false)
		h.awaitTruth(ctx)
		return nil
	})
}

// stays waits until all watchers hold the ids, or do not, and records a violation if that
// changes while the lists lag, or after.
func (w *harness) stays(ctx context.Context, what string, all []*watcher, ids []string, held bool) {
	as := func(watcher *watcher) bool {
		for _, id := range ids {
			if !holds(id, held)(watcher) {
				return false
			}
		}
		return true
	}
	w.await(ctx, changesLost, what, writeWithin, all, as)
	undone := eventually(ctx, 2*listLag, func() bool {
		return slices.ContainsFunc(all, func(watcher *watcher) bool { return !as(watcher) })
	})
	if undone && ctx.Err() == nil {
		w.results.violatef(writesUndone, "%s: not all of %v were kept %s", all[0].conference, ids, what)
	}
}
