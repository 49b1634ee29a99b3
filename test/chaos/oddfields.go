package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// oddFields has every list and every answer to an add hold flaws in fields. They make no
// list undecodable, and no add unknown (W7).
func oddFields(ctx context.Context, w *harness, _ *rand.Rand) error {
	const conference = "conf_odd"
	return w.isolated(ctx, simulator.Options{PageSize: 12}, defaultPolls(), func(ctx context.Context, h *harness) error {
		h.conferences = []string{conference}
		h.fill(conference, 30)
		h.upstream.Inject(simulator.Fault{Kind: simulator.FaultOdd})
		began := time.Now()
		all := h.watch(ctx, h.conferences, both...)
		h.await(ctx, changesLost, "a snapshot", firstWithin, all, holds(visitor(0).ID, true))
		for n := range 6 {
			h.writers.add(ctx, conference, n%2 == 0, n%3 == 0)
		}
		h.leave(conference, 1)
		h.writers.requireAll(succeeded)
		h.awaitTruth(ctx)
		h.stayFresh(freshnessFlaps, began, all)
		return nil
	})
}
