package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

const (
	// staleWithin is how long it may take until lists that are incomplete from the start
	// make a conference STALE: 5 s (W10), a list, and a small machine.
	staleWithin = 12 * time.Second
	// learnedWithin is how long the gateway may take to learn that total is always larger
	// by the same number: 60 s (W7), and some lists.
	learnedWithin = 80 * time.Second
	// appliedWithin is how long a change may take to the watchers.
	appliedWithin = 12 * time.Second
)

const (
	totalForEver  = "conf_total_for_ever"
	totalForNow   = "conf_total_for_now"
	laterPages    = "conf_later_pages"
	nullWhenEmpty = "conf_null_when_empty"
)

// incompleteLists makes lists lack a page, or count more participants than they hold. What
// they show applies, what they lack proves nothing, and a total that is always larger by
// the same number is learned (W7).
func incompleteLists(ctx context.Context, w *harness, rng *rand.Rand) error {
	return w.isolated(ctx, simulator.Options{PageSize: 10}, defaultPolls(), func(ctx context.Context, h *harness) error {
		names := []string{totalForEver, totalForNow, laterPages}
		for _, conference := range names {
			h.fill(conference, 25)
		}
		for _, f := range incompleteFaults() {
			f.Operation = simulator.List
			h.upstream.Inject(f)
		}
		began := time.Now()
		empty := h.watch(ctx, []string{nullWhenEmpty}, both...)
		all := h.watch(ctx, names, both...)
		h.await(ctx, wrongStaleness, "STALE, UPSTREAM_INCOMPLETE", staleWithin, all, isStale("UPSTREAM_INCOMPLETE"))
		h.changeWhileIncomplete(ctx, rng, names, all)
		h.endIncompleteness(ctx, all)
		h.emptyByNull(ctx, began, empty)
		h.await(ctx, lateRecoveries, "FRESH", learnedWithin-time.Since(began), all[:2], isFresh)
		h.leave(totalForEver, 3)
		h.await(ctx, changesLost, "the removal", appliedWithin, all[:2], holds(visitor(3).ID, false))
		return nil
	})
}

func incompleteFaults() []simulator.Fault {
	return []simulator.Fault{
		{Kind: simulator.FaultTotal, Conference: totalForEver},
		{Kind: simulator.FaultTotal, Conference: totalForNow},
		{Kind: simulator.FaultStatus, Conference: laterPages, Status: http.StatusServiceUnavailable, LaterPages: true},
		{Kind: simulator.FaultNull, Conference: nullWhenEmpty},
	}
}

// changeWhileIncomplete changes a status, which watchers must receive, and removes a
// participant, which they must not: observations has no leave for it yet.
func (w *harness) changeWhileIncomplete(ctx context.Context, rng *rand.Rand, names []string, all []*watcher) {
	for _, conference := range names {
		w.upstream.RemoveParticipant(conference, visitor(2).ID)
		w.upstream.SetStatus(conference, visitor(0).ID, "held")
	}
	w.await(ctx, changesLost, "the new status", appliedWithin, all, func(w *watcher) bool {
		return w.heldCopy()[visitor(0).ID].Status == "held"
	})
	for range 5 {
		// Another number each time, so that nothing can be learned.
		w.replaceFault(totalForNow, 1+rng.IntN(5))
		pause(ctx, 2*time.Second)
	}
	w.stayStale(all)
}

// replaceFault changes by how much a conference's total is too large; 0 ends the fault.
func (w *harness) replaceFault(conference string, by int) {
	for _, f := range w.upstream.Faults() {
		if f.Conference == conference {
			w.upstream.ClearFault(f.ID)
		}
	}
	if by > 0 {
		w.upstream.Inject(simulator.Fault{Kind: simulator.FaultTotal, Operation: simulator.List, Conference: conference, By: by})
	}
}

// stayStale records a violation for each watcher that was reported FRESH although no list
// was complete.
func (w *harness) stayStale(all []*watcher) {
	for _, watcher := range all {
		if !isStale("UPSTREAM_INCOMPLETE")(watcher) || watcher.freshBefore() {
			w.results.violatef(wrongStaleness, "%s: no list was complete, but %v", watcher.name(), watcher.history())
		}
	}
}

// endIncompleteness has two of the conferences answer complete lists again.
func (w *harness) endIncompleteness(ctx context.Context, all []*watcher) {
	w.observations.leave(visitor(2).ID)
	w.replaceFault(totalForNow, 0)
	w.replaceFault(laterPages, 0)
	w.await(ctx, lateRecoveries, "FRESH", recoverWithin, all[2:], isFresh)
	w.await(ctx, changesLost, "the removal", appliedWithin, all[2:], holds(visitor(2).ID, false))
}

// emptyByNull removes all participants of a conference whose empty lists contain null instead
// of an array.
func (w *harness) emptyByNull(ctx context.Context, began time.Time, all []*watcher) {
	w.await(ctx, lateRecoveries, "FRESH", appliedWithin, all, isFresh)
	w.fill(nullWhenEmpty, 2)
	w.await(ctx, changesLost, "the join", appliedWithin, all, holds(visitor(1).ID, true))
	w.leave(nullWhenEmpty, 0)
	w.leave(nullWhenEmpty, 1)
	w.await(ctx, changesLost, "the removal", appliedWithin, all, func(w *watcher) bool { return len(w.heldCopy()) == 0 })
	w.stayFresh(freshnessFlaps, began, all)
}
