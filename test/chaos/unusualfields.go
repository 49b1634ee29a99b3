package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// unusualFields sends unusual field values in every list and every answer to an add. All lists
// must still be decoded, and the outcome of each add must be known (W7).
func unusualFields(ctx context.Context, w *harness, _ *rand.Rand) error {
	const conference = "conf_unusual"
	return w.isolated(ctx, simulator.Options{PageSize: 12}, defaultPolls(), func(ctx context.Context, h *harness) error {
		h.conferences = []string{conference}
		h.fill(conference, 30)
		h.upstream.Inject(simulator.Fault{Kind: simulator.FaultUnusualJSON})
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
