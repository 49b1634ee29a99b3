package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchclient"
)

// sharedConferences are watched while all experiments on the shared gateway run.
var sharedConferences = []string{"conf_alpha", "conf_beta"}

// harness holds everything that a run uses.
type harness struct {
	settings settings
	results  *results
	log      io.Writer
	// conferences are watched for the whole run.
	conferences []string

	upstream       *upstreamServer
	network        *proxy
	redirectTarget *redirectTarget
	gateway        atomic.Pointer[gateway]
	cluster        *cluster // With replicas, in place of gateway.
	launched       atomic.Int32

	orderCheck   *watchclient.OrderCheck
	observations *observations
	visitors     *visitors
	writers      *writers
	watchers     []*watcher

	// mutations is held for reading while participants change, and for writing by
	// converge.
	mutations sync.RWMutex
	running   sync.WaitGroup
}

// run performs all experiments, writes the report, and returns whether no rule was broken.
func run(ctx context.Context, s settings, out io.Writer) (ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.bound())
	defer cancel()
	log, err := os.Create(s.log)
	if err != nil {
		return false, fmt.Errorf("keep the gateway's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	began := time.Now()
	t := newResults(s.seed)
	w := &harness{
		settings: s, results: t, log: log, conferences: sharedConferences,
		orderCheck: watchclient.NewOrderCheck(), observations: newObservations(),
	}
	err = w.execute(ctx, out)
	t.report.Seconds = time.Since(began).Round(time.Millisecond).Seconds()
	t.report.print(out)
	return t.report.passed() && err == nil, errors.Join(err, t.report.write(s.report))
}

// rng returns a random source for one purpose, from the seed.
func (w *harness) rng(purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.settings.seed, purpose))
}

// The purposes of random sources.
const (
	forUpstream = iota + 1
	forVisitors
	forExperiments
	forQuiet
	forIsolated = 50
	forWatchers = 100
	forWriters  = 200
)

// execute starts everything, performs the experiments, and stops everything.
func (w *harness) execute(ctx context.Context, out io.Writer) error {
	if err := w.open(ctx); err != nil {
		return err
	}
	defer w.redirectTarget.close()
	defer w.network.close()
	defer w.upstream.kill()
	clients, end := context.WithCancel(ctx)
	defer end()
	w.populate(clients)
	err := w.runExperiments(ctx, out)
	end()
	w.running.Wait()
	w.audit()
	w.endGateways(err == nil)
	return err
}

// endGateways ends all gateways: by a drain, or at once.
func (w *harness) endGateways(drained bool) {
	all := []*gateway{w.gateway.Load()}
	if w.cluster != nil {
		all = w.cluster.gateways()
		defer w.cluster.close()
	}
	for _, g := range all {
		if drained {
			w.checkDrain(g, g.terminate())
		} else {
			g.kill()
		}
	}
}

func (w *harness) open(ctx context.Context) (err error) {
	if w.upstream, err = startUpstream(ctx, w.upstreamOptions()); err != nil {
		return err
	}
	if w.network, err = startProxy(ctx, w.upstream.at, w.results); err != nil {
		return err
	}
	if w.redirectTarget, err = startRedirectTarget(ctx, w.results); err != nil {
		return err
	}
	w.visitors = newVisitors(w, w.rng(forVisitors))
	w.writers = &writers{harness: w, removed: map[string]string{}}
	for _, conference := range w.conferences {
		for range fewest {
			w.visitors.join(conference)
		}
	}
	if w.settings.replicas > 0 {
		return w.openCluster(ctx)
	}
	return w.replace(ctx)
}

// pick returns a gateway for a stream or a call.
func (w *harness) pick() *gateway {
	if w.cluster != nil {
		return w.cluster.pick()
	}
	return w.gateway.Load()
}

// upstreamOptions are drawn from the seed: an upstream with several pages a list, whose
// participants answer soon.
func (w *harness) upstreamOptions() simulator.Options {
	rng := w.rng(forUpstream)
	return simulator.Options{
		Seed: w.settings.seed, TimeScale: 10, Behaviour: simulator.Steady,
		MaxParticipants: 1000, PageSize: 12, LingerDisconnected: time.Duration(rng.IntN(2)) * time.Second,
		Envelope: rng.IntN(2) == 0, NewestFirst: rng.IntN(2) == 0, RemoveTwice: rng.IntN(2) == 0,
		ListLag: time.Duration(rng.IntN(2)*700) * time.Millisecond,
		Tokens:  []string{secret}, NoAdminAPI: true, Logger: newRequestCounter(w.results),
	}
}

// replace starts another process of the gateway, which all clients use from then on.
func (w *harness) replace(ctx context.Context) error {
	g, err := w.launch(ctx, "http://"+w.network.addr(), fastPolls())
	if err == nil {
		w.gateway.Store(g)
	}
	return err
}

// populate starts watchers, writers and visitors, which run until ctx ends.
func (w *harness) populate(ctx context.Context) {
	for n := range 16 {
		watcher := &watcher{
			harness: w, conference: w.conferences[n%2], transport: []string{"gRPC", "SSE"}[n/2%2],
			reconnects: n/4%2 == 1, connected: n/8%2 == 1, held: roster{},
		}
		w.watchers = append(w.watchers, watcher)
		w.running.Go(func() { watcher.follow(ctx) })
	}
	for n := range 3 {
		w.running.Go(func() { w.writers.write(ctx, w.rng(uint64(forWriters+n))) })
	}
	w.running.Go(func() { w.visitors.run(ctx) })
	if w.cluster != nil {
		w.watchQuiet(ctx)
	}
}

// list reads a conference through the gateway.
func (w *harness) list(ctx context.Context, conference string) ([]member, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	response, err := w.pick().client.ListParticipants(ctx, &v2.ListParticipantsRequest{ConferenceId: conference})
	w.results.call("ListParticipants", join(status.Code(err).String(), watchclient.ReasonOf(err)))
	if status.Code(err) == codes.NotFound {
		w.results.violatef(falseNotFound, "a list of %s: %v", conference, err)
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", conference, err)
	}
	return watchclient.MembersOf(response.GetParticipants()), nil
}

// checkDrain checks how long a drain took; waitForExit checks its exit code (W16).
func (w *harness) checkDrain(g *gateway, took time.Duration) {
	w.results.fault("gateway terminated")
	if took > drainTimeout+2*time.Second {
		w.results.violatef(badExits, "process %d took %s to drain", g.generation, took)
	}
}
