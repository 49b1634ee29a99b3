package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// killGateway kills the process. Watchers resume at the next one with tokens that it does
// not know.
func killGateway(ctx context.Context, w *harness, rng *rand.Rand) error {
	w.gateway.Load().kill()
	w.results.fault("gateway killed")
	pause(ctx, time.Duration(rng.IntN(1000))*time.Millisecond)
	return w.replace(ctx)
}

// drainGateway replaces the process as an upgrade does (W16).
func drainGateway(ctx context.Context, w *harness, _ *rand.Rand) error {
	g := w.gateway.Load()
	w.checkDrain(g, g.terminate())
	return w.replace(ctx)
}

// freezeGateway stops the process for some seconds: all its timers are due when it
// continues.
func freezeGateway(ctx context.Context, w *harness, rng *rand.Rand) error {
	w.results.fault("gateway frozen")
	w.gateway.Load().freeze(ctx, time.Duration(1000+rng.IntN(3000))*time.Millisecond)
	return nil
}
