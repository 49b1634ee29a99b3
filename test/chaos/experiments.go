package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchclient"
)

// experiment is one kind of fault under load. It returns an error if it had no effect;
// watchers, writers and checks record what the gateway does wrong.
type experiment struct {
	name string
	run  func(ctx context.Context, w *harness, rng *rand.Rand) error
}

// experiments are those on the shared gateway.
func experiments() []experiment {
	all := slices.Grow([]experiment{
		{"upstream killed while it answers", killUpstream},
		{"network delays", network(func(c *rand.Rand) networkFault {
			return networkFault{delay: time.Duration(50+c.IntN(400)) * time.Millisecond}
		}, "proxy delayed")},
		{"network trickles", network(func(c *rand.Rand) networkFault { return networkFault{trickle: 20 + c.IntN(100)} }, "proxy trickled")},
		{"network cuts", network(func(*rand.Rand) networkFault { return networkFault{cut: true} }, "proxy cut")},
		{"gateway killed", killGateway},
		{"gateway drained", drainGateway},
		{"gateway frozen", freezeGateway},
		{"streams opened and closed", churnStreams},
		{"upstream's clock jumps", jumpUpstreamClock},
		{"conference ends", endConference},
		{"proxy answers HTML", answerHTML},
	}, len(faultKinds))
	for _, kind := range faultKinds {
		all = append(all, experiment{"upstream: " + string(kind), injectFaults(kind)})
	}
	return all
}

// convergeEvery is the number of experiments after which converge runs.
const convergeEvery = 5

// runExperiments performs the experiments in random order, again and again until the time
// is over; the isolated ones run at the same time.
func (w *harness) runExperiments(ctx context.Context, out io.Writer) error {
	rng := w.rng(forExperiments)
	until := time.Now().Add(time.Duration(w.settings.seconds) * time.Second)
	isolated := w.startIsolated(ctx, out)
	over := func() bool { return time.Now().After(until) && isClosed(isolated) || ctx.Err() != nil }
	for round := 0; round == 0 || !over(); round++ {
		w.pass(ctx, rng, out, func() bool { return round > 0 && over() })
	}
	<-isolated
	w.converge(ctx)
	if ctx.Err() != nil {
		return fmt.Errorf("the run did not end in time: %w", context.Cause(ctx))
	}
	return nil
}

// isolatedExperiments run beside those on the shared gateway: the lanes at the same time,
// the experiments of a lane one after the other.
func isolatedExperiments() [][]experiment {
	return [][]experiment{
		{{"clients that never read", nonReadingClients}},
		{{"lists are incomplete", incompleteLists}},
		{{"neighbours are broken", brokenNeighbours}},
		{{"lists are slow", slowLists}, {"fields are unusual", unusualFields}, {"lists lag", laggingLists}},
		{{"neighbours of a quiet conference are broken", quietNeighbour}},
		{
			{"gateway drained while EventSources wait", drainWaiting},
			{"upstream offers HTTP/2", http2Upstream},
			{"API key refused", refusedKey},
		},
	}
}

// isolatedLanes are those of isolatedExperiments; none with replicas.
func (w *harness) isolatedLanes() [][]experiment {
	if w.cluster != nil {
		return nil
	}
	return isolatedExperiments()
}

// startIsolated starts the lanes; the channel is closed when all have ended.
func (w *harness) startIsolated(ctx context.Context, out io.Writer) (ended chan struct{}) {
	ended = make(chan struct{})
	var lanes sync.WaitGroup
	for n, lane := range w.isolatedLanes() {
		lanes.Go(func() {
			for _, e := range w.selected(lane) {
				w.perform(ctx, e, w.rng(uint64(forIsolated+n)), out)
			}
		})
	}
	go func() {
		lanes.Wait()
		close(ended)
	}()
	return ended
}

// selected are the experiments that the command line selects.
func (w *harness) selected(all []experiment) []experiment {
	return slices.DeleteFunc(all, func(e experiment) bool { return !strings.Contains(e.name, w.settings.only) })
}

// perform runs an experiment.
func (w *harness) perform(ctx context.Context, e experiment, rng *rand.Rand, out io.Writer) {
	began := time.Now()
	err := e.run(ctx, w, rng)
	w.results.experiment(e.name)
	if err != nil {
		w.results.violatef(failedExperiments, "%s: %v", e.name, err)
	}
	_, _ = fmt.Fprintf(out, "%-42s %5.1f s\n", e.name, time.Since(began).Seconds())
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// pass performs every experiment once, unless the time is over before.
func (w *harness) pass(ctx context.Context, rng *rand.Rand, out io.Writer, over func() bool) {
	list := experiments
	if w.cluster != nil {
		list = replicaExperiments
	}
	all := w.selected(list())
	if len(all) == 0 {
		pause(ctx, time.Second)
	}
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for n, d := range all {
		if over() || ctx.Err() != nil {
			return
		}
		w.perform(ctx, d, rng, out)
		if n%convergeEvery == convergeEvery-1 {
			w.converge(ctx)
		}
	}
}

// eventually waits until a condition is met.
func eventually(ctx context.Context, within time.Duration, met func() bool) bool {
	for late := time.Now().Add(within); time.Now().Before(late) && ctx.Err() == nil; pause(ctx, 20*time.Millisecond) {
		if met() {
			return true
		}
	}
	return met()
}

// network applies a network fault for a while.
func network(draw func(*rand.Rand) networkFault, kind string) func(context.Context, *harness, *rand.Rand) error {
	return func(ctx context.Context, w *harness, rng *rand.Rand) error {
		before := w.results.faultCount(kind)
		w.network.set(draw(rng))
		defer w.network.set(networkFault{})
		pause(ctx, 2*time.Second)
		if !eventually(ctx, 6*time.Second, func() bool { return w.results.faultCount(kind) > before }) {
			return fmt.Errorf("no answer met the fault: %s", kind)
		}
		return nil
	}
}

// killUpstream kills the upstream while answers are being sent, and restarts it later.
func killUpstream(ctx context.Context, w *harness, rng *rand.Rand) error {
	w.network.set(networkFault{trickle: 16})
	defer w.network.set(networkFault{})
	caught := eventually(ctx, 6*time.Second, func() bool { return w.network.underWay.Load() > 0 })
	w.upstream.kill()
	w.network.cutAll()
	w.results.fault("upstream killed")
	pause(ctx, time.Duration(rng.IntN(7000))*time.Millisecond)
	if err := w.upstream.restart(ctx); err != nil {
		return err
	}
	if !caught {
		return errors.New("no answer was being sent")
	}
	return nil
}

// jumpUpstreamClock changes the times in the upstream's answers as a step of its clock
// would.
func jumpUpstreamClock(ctx context.Context, w *harness, _ *rand.Rand) error {
	for _, conference := range w.conferences {
		w.visitors.shiftTimes(conference)
		pause(ctx, time.Second)
	}
	return nil
}

// endConference ends a conference with a watcher on each transport (W11): they receive
// END, and no removal.
func endConference(ctx context.Context, w *harness, rng *rand.Rand) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	conference := fmt.Sprintf("conf_gone_%d", rng.Uint32())
	for n := range 3 {
		w.visitors.enter(conference, simulator.Participant{ID: fmt.Sprint("guest_", n), Status: "connected"})
	}
	ended := make(chan int, len(watchclient.Transports))
	for name := range watchclient.Transports {
		watcher := &watcher{harness: w, conference: conference, transport: name, held: roster{}}
		w.running.Go(func() {
			watcher.follow(ctx)
			ended <- len(watcher.heldCopy())
		})
	}
	pause(ctx, 2*time.Second)
	w.upstream.DeleteConference(conference)
	for range watchclient.Transports {
		if held := <-ended; held != 3 || ctx.Err() != nil {
			return fmt.Errorf("a watcher held %d of 3 at the end, or received no END: %w", held, context.Cause(ctx))
		}
	}
	return nil
}
