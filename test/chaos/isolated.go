package main

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchclient"
)

// isolated runs an experiment on its own upstream, gateway and watchers: it needs more time
// than the experiments on the shared gateway could wait. The context of run ends
// watchers only.
func (w *harness) isolated(ctx context.Context, options simulator.Options, o launchOptions, run isolatedRun) error {
	upstream, err := startUpstream(ctx, w.isolatedOptions(options))
	if err != nil {
		return err
	}
	defer upstream.kill()
	return w.isolatedAt(ctx, upstream, "http://"+upstream.at(), o, run)
}

// isolatedRun is what an isolated experiment does.
type isolatedRun func(ctx context.Context, h *harness) error

func (w *harness) isolatedOptions(o simulator.Options) simulator.Options {
	o.Seed, o.TimeScale, o.Behaviour = w.settings.seed, 10, simulator.Steady
	o.NoAdminAPI, o.MaxParticipants, o.Logger = true, 1000, newRequestCounter(w.results)
	if len(o.APIKeys) == 0 {
		o.Tokens = []string{secret}
	}
	return o
}

// isolatedAt is isolated with a gateway that reaches the upstream at a base URL. In the
// end it drains the gateway and compares the answers to adds with the phones dialled.
func (w *harness) isolatedAt(ctx context.Context, upstream *upstreamServer, base string, o launchOptions, run isolatedRun) error {
	h := &harness{
		settings: w.settings, results: w.results, log: w.log, upstream: upstream,
		orderCheck: watchclient.NewOrderCheck(), observations: newObservations(),
	}
	h.writers = &writers{harness: h, removed: map[string]string{}}
	g, err := h.launch(ctx, base, o)
	if err != nil {
		return err
	}
	h.gateway.Store(g)
	watching, stop := context.WithCancel(ctx)
	err = run(watching, h)
	stop()
	h.running.Wait()
	if !g.ending.Load() {
		h.checkDrain(g, g.terminate())
	}
	h.writers.audit(upstream.Dials())
	return err
}

// watch starts a watcher for each conference and transport. They end with ctx.
func (w *harness) watch(ctx context.Context, names []string, over ...string) (started []*watcher) {
	for _, conference := range names {
		for _, transport := range over {
			watcher := &watcher{harness: w, conference: conference, transport: transport, held: roster{}}
			started = append(started, watcher)
			w.running.Go(func() { watcher.follow(ctx) })
		}
	}
	w.watchers = append(w.watchers, started...)
	return started
}

// await waits until the condition holds for every watcher, and records a violation for
// each for which it does not in time.
func (w *harness) await(ctx context.Context, rule, what string, within time.Duration, all []*watcher, met func(*watcher) bool) {
	eventually(ctx, within, func() bool {
		for _, watcher := range all {
			if !met(watcher) {
				return false
			}
		}
		return true
	})
	for _, watcher := range all {
		if ctx.Err() == nil && !met(watcher) {
			w.results.violatef(rule, "%s: not %s within %s, but %v", watcher.name(), what, within, watcher.history())
		}
	}
}

// stayFresh records a violation for each watcher that was reported STALE since a time.
func (w *harness) stayFresh(rule string, since time.Time, all []*watcher) {
	for _, watcher := range all {
		w.results.check("watchers that had to stay FRESH", 1)
		if n := watcher.staleAfter(since); n > 0 {
			w.results.violatef(rule, "%s: STALE %d times: %v", watcher.name(), n, watcher.history())
		}
	}
}

// fill adds connected participants to a conference.
func (w *harness) fill(conference string, n int) {
	for m := range n {
		p := visitor(m)
		p.Name += " \ufffd"
		w.upstream.AddParticipant(conference, p)
	}
}

// leave removes a participant from the upstream; watchers may report it from now on.
func (w *harness) leave(conference string, n int) {
	w.observations.leave(visitor(n).ID)
	w.upstream.RemoveParticipant(conference, visitor(n).ID)
}
