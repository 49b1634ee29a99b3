package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

const (
	// keyRefusedFor is how long the upstream refuses the API key.
	keyRefusedFor = 22 * time.Second
	// mostExchanges is how often a refused key may be tried in that time: at once, and
	// after 1, 3, 7 and 15 s (A6), and two more for jitter.
	mostExchanges = 7
	// keyAcceptedWithin is how long it may take until the key is tried again, and a list.
	keyAcceptedWithin = 30 * time.Second
)

// refusedKey makes the upstream refuse the API key for some time. With any number of callers,
// the gateway tries the key less and less often, sends nothing else meanwhile, and recovers
// (A5, A6, W11).
func refusedKey(ctx context.Context, w *harness, _ *rand.Rand) error {
	const conference = "conf_key"
	o := launchOptions{env: []string{"AUDIAN_API_KEY=" + secret}}
	// From the start, when the gateway exchanges the key for the first time.
	refusal := simulator.Fault{Kind: simulator.FaultStatus, Operation: simulator.Auth, Status: http.StatusUnauthorized}
	upstream := simulator.Options{APIKeys: []string{secret}, Faults: []simulator.Fault{refusal}}
	return w.isolated(ctx, upstream, o, func(ctx context.Context, h *harness) error {
		h.conferences = []string{conference}
		h.fill(conference, 3)
		all := h.watch(ctx, h.conferences, both...)
		until := time.Now().Add(keyRefusedFor)
		for range 2 {
			h.running.Go(func() { h.listUntil(ctx, conference, until) })
		}
		h.await(ctx, wrongStaleness, "STALE, UPSTREAM_CREDENTIAL_REFUSED", firstWithin, all, isStale("UPSTREAM_CREDENTIAL_REFUSED"))
		h.writers.add(ctx, conference, true, false)
		h.writers.add(ctx, conference, false, false)
		h.writers.requireAll(notDialled)
		pause(ctx, time.Until(until))
		h.checkExchanges()
		h.upstream.ClearFaults()
		h.await(ctx, lateRecoveries, "FRESH", keyAcceptedWithin, all, isFresh)
		h.awaitTruth(ctx)
		return nil
	})
}

func (w *harness) listUntil(ctx context.Context, conference string, until time.Time) {
	for time.Now().Before(until) && ctx.Err() == nil {
		_, _ = w.list(ctx, conference)
		pause(ctx, 100*time.Millisecond)
	}
}

// checkExchanges counts what the upstream was asked while it refused the key.
func (w *harness) checkExchanges() {
	exchanges := 0
	for _, request := range w.upstream.History() {
		if request.Operation == simulator.Auth {
			exchanges++
		}
	}
	w.results.check("exchanges of a refused API key", exchanges)
	if exchanges < 2 || exchanges > mostExchanges {
		w.results.violatef(keyHammered, "%d exchanges in %s, want 2 to %d", exchanges, keyRefusedFor, mostExchanges)
	}
}
