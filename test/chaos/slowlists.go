package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// both are the names of all transports.
var both = []string{"gRPC", "SSE"}

// slowChange is how long it may take until a watcher sees a change of a conference whose
// lists succeed but are slow.
const slowChange = 20 * time.Second

// slowLists makes every list take two to four seconds, in one page or in several. Lists
// that succeed keep a conference FRESH (W10, W15).
func slowLists(ctx context.Context, w *harness, _ *rand.Rand) error {
	const onePage, manyPages = "conf_slow_page", "conf_slow_pages"
	return w.isolated(ctx, simulator.Options{PageSize: 15}, defaultPolls(), func(ctx context.Context, h *harness) error {
		h.fill(onePage, 10)
		h.fill(manyPages, 60)
		for _, f := range []simulator.Fault{
			{Conference: onePage, Latency: 2 * time.Second},
			{Conference: onePage, Latency: 3 * time.Second, Probability: 0.5},
			{Conference: onePage, Latency: 4 * time.Second, Probability: 0.3},
			{Conference: manyPages, Latency: 700 * time.Millisecond},
		} {
			f.Kind, f.Operation = simulator.FaultLatency, simulator.List
			h.upstream.Inject(f)
		}
		began := time.Now()
		all := h.watch(ctx, []string{onePage, manyPages}, both...)
		h.await(ctx, changesLost, "a snapshot", slowChange, all, holds(visitor(0).ID, true))
		pause(ctx, 30*time.Second)
		h.leave(onePage, 1)
		h.leave(manyPages, 1)
		h.await(ctx, changesLost, "the removal", slowChange, all, holds(visitor(1).ID, false))
		h.stayFresh(freshnessFlaps, began, all)
		return nil
	})
}
