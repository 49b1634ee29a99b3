package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchclient"
)

const (
	// neighboursFail is how long the broken conferences fail.
	neighboursFail = 45 * time.Second
	// healthyGap is the longest time between two lists of a healthy conference: 28 feeds
	// share ten requests a second, of which first lists may take every second one.
	healthyGap = 10 * time.Second
	// healthyChange is how long a change of a healthy conference may take to its watchers.
	healthyChange = 15 * time.Second
	// recoverWithin is how long a conference may take to be FRESH after its upstream works
	// again: its back-off, its turn and its list (W10).
	recoverWithin = 20 * time.Second
)

// brokenNeighbours makes 25 conferences of an account fail beside three healthy ones,
// with clients that retry a conference that does not exist. The healthy ones stay FRESH
// and are polled in turn (W10, W15).
func brokenNeighbours(ctx context.Context, w *harness, _ *rand.Rand) error {
	healthy, broken := numbered("conf_healthy", 3), numbered("conf_broken", 25)
	options := simulator.Options{KnownOnly: true, Conferences: append(append([]string{}, healthy...), broken...)}
	return w.isolated(ctx, options, defaultPolls(), func(ctx context.Context, h *harness) error {
		for _, conference := range options.Conferences {
			h.fill(conference, 3)
		}
		h.breakLists(broken)
		fresh := h.watch(ctx, healthy, both...)
		began := time.Now()
		h.await(ctx, starved, "a snapshot", firstWithin, fresh, holds(visitor(0).ID, true))
		failing := h.watch(ctx, broken, both[:1]...)
		for _, unknown := range numbered("conf_unknown", 10) {
			h.running.Go(func() { h.askForUnknown(ctx, unknown) })
		}
		h.await(ctx, wrongStaleness, "STALE", healthyGap, failing, isAnyStale)
		pause(ctx, neighboursFail/2)
		for _, conference := range healthy {
			h.leave(conference, 1)
		}
		h.await(ctx, starved, "the removal", healthyChange, fresh, holds(visitor(1).ID, false))
		pause(ctx, neighboursFail/2)
		h.stayFresh(neighbourStale, began, fresh)
		h.checkGaps(began, healthy)
		h.upstream.ClearFaults()
		h.await(ctx, lateRecoveries, "FRESH", recoverWithin, failing, isFresh)
		return nil
	})
}

// quietFor is how long nothing happens before the neighbours fail, and how long they fail.
const quietFor = 22 * time.Second

// rarePolls lets the poll interval of a quiet conference become longer than the time after which
// conferences of a failing account become STALE.
func rarePolls() launchOptions {
	o := defaultPolls()
	o.flags = []string{"--max-poll-interval", "30s"}
	return o
}

// quietNeighbour makes twenty FRESH conferences fail, but not a quiet one. Between two lists of
// the quiet one, all polls of the account fail. It stays FRESH (W10).
func quietNeighbour(ctx context.Context, w *harness, _ *rand.Rand) error {
	quiet, broken := []string{"conf_quiet"}, numbered("conf_broken", 20)
	return w.isolated(ctx, simulator.Options{}, rarePolls(), func(ctx context.Context, h *harness) error {
		h.fill(quiet[0], 3)
		began := time.Now()
		all := h.watch(ctx, quiet, both...)
		h.await(ctx, starved, "a snapshot", firstWithin, all, holds(visitor(0).ID, true))
		failing := h.watch(ctx, broken, both[:1]...)
		h.await(ctx, lateRecoveries, "FRESH", firstWithin, failing, isFresh)
		pause(ctx, quietFor) // The interval becomes longer than 5 s.
		h.breakLists(broken)
		pause(ctx, quietFor)
		h.stayFresh(neighbourStale, began, all)
		return nil
	})
}

// breakLists makes the lists of each conference fail, for ever.
func (w *harness) breakLists(conferences []string) {
	for n, conference := range conferences {
		fault := brokenFaults[n%len(brokenFaults)]
		fault.Operation, fault.Conference = simulator.List, conference
		w.upstream.Inject(fault)
	}
}

// brokenFaults are what the lists of a broken conference come to, for ever.
var brokenFaults = []simulator.Fault{
	{Kind: simulator.FaultStatus, Status: http.StatusServiceUnavailable},
	{Kind: simulator.FaultStatus, Status: http.StatusNotFound, Body: simulator.HTMLBody},
	{Kind: simulator.FaultStatus, Status: http.StatusServiceUnavailable, Body: simulator.HTMLBody},
	{Kind: simulator.FaultCut},
	{Kind: simulator.FaultGarbage},
}

func isAnyStale(w *watcher) bool { freshness, _ := w.freshness(); return freshness == stale }

func numbered(name string, n int) (names []string) {
	for m := range n {
		names = append(names, fmt.Sprintf("%s_%02d", name, m))
	}
	return names
}

// askForUnknown opens a stream of a conference that does not exist, again and again (W1).
func (w *harness) askForUnknown(ctx context.Context, conference string) {
	for ctx.Err() == nil {
		err := openGRPC(ctx, w.gateway.Load(), watchclient.Request{Conference: conference}, false)
		if reason := watchclient.ReasonOf(err); ctx.Err() == nil && reason != "CONFERENCE_NOT_FOUND" && !w.gateway.Load().ending.Load() {
			w.results.check("watches of an unknown conference that ended "+join("otherwise", reason), 1)
		}
		pause(ctx, 10*time.Millisecond)
	}
}

// checkGaps looks for too long a time between two lists of a conference.
func (w *harness) checkGaps(since time.Time, conferences []string) {
	last := map[string]time.Time{}
	for _, conference := range conferences {
		last[conference] = since
	}
	check := func(conference string, at time.Time) {
		before, watched := last[conference]
		if gap := at.Sub(before); watched && gap > healthyGap {
			w.results.violatef(starved, "%s was not listed for %s", conference, gap)
		}
		if watched {
			last[conference] = at
		}
	}
	for _, request := range w.upstream.History() {
		if request.Operation == simulator.List && request.Time.After(since) {
			check(request.Conference, request.Time)
		}
	}
	for _, conference := range conferences {
		check(conference, time.Now())
	}
}
