package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// killGateway has the process end amid everything. Watchers come to the next one with
// tokens that it does not know, and writers find out nothing more about their calls.
func killGateway(ctx context.Context, w *harness, rng *rand.Rand) error {
	w.gateway.Load().kill()
	w.results.fault("gateway killed")
	pause(ctx, time.Duration(rng.IntN(1000))*time.Millisecond)
	return w.replace(ctx)
}

// drainGateway has the process end as an upgrade does (W16).
func drainGateway(ctx context.Context, w *harness, _ *rand.Rand) error {
	g := w.gateway.Load()
	w.checkDrain(g, g.terminate())
	return w.replace(ctx)
}

// freezeGateway has the process wake in another time than it fell asleep in, all its
// timers due at once.
func freezeGateway(ctx context.Context, w *harness, rng *rand.Rand) error {
	w.results.fault("gateway frozen")
	w.gateway.Load().freeze(ctx, time.Duration(1000+rng.IntN(3000))*time.Millisecond)
	return nil
}
