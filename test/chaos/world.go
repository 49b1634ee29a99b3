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

	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// rooms are the conferences that are watched throughout.
var rooms = []string{"conf_alpha", "conf_beta"}

// world is everything that runs.
type world struct {
	settings settings
	tally    *tally
	log      io.Writer

	vendor   *upstream
	network  *proxy
	trap     *trap
	gateway  atomic.Pointer[gateway]
	launched atomic.Int32

	ledger    *ledger
	sightings *sightings
	visitors  *visitors
	writers   *writers
	watchers  []*watcher

	// quiet is held while nobody is to change anything; who does holds it to read.
	quiet   sync.RWMutex
	running sync.WaitGroup
}

// run makes a world, puts it through the drills, and says whether nothing was broken.
func run(ctx context.Context, s settings, out io.Writer) (ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.bound())
	defer cancel()
	log, err := os.Create(s.log)
	if err != nil {
		return false, fmt.Errorf("keep the gateway's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	began := time.Now()
	t := newTally(s.seed)
	w := &world{
		settings: s, tally: t, log: &gatewayLog{out: log, tally: t},
		ledger: newLedger(), sightings: newSightings(),
	}
	err = w.live(ctx, out)
	t.report.Seconds = time.Since(began).Round(time.Millisecond).Seconds()
	t.report.print(out)
	return t.report.whole() && err == nil, errors.Join(err, t.report.write(s.report))
}

// chance is a source of chance of its own for each purpose, from the seed.
func (w *world) chance(purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.settings.seed, purpose))
}

// The purposes of chance.
const (
	forVendor = iota + 1
	forVisitors
	forDrills
	forWatchers = 100
	forWriters  = 200
)

// live opens the world, drills it, and closes it.
func (w *world) live(ctx context.Context, out io.Writer) error {
	if err := w.open(ctx); err != nil {
		return err
	}
	defer w.trap.close()
	defer w.network.close()
	defer w.vendor.kill()
	crowd, end := context.WithCancel(ctx)
	defer end()
	w.populate(crowd)
	err := w.drill(ctx, out)
	end()
	w.running.Wait()
	w.audit()
	if g := w.gateway.Load(); err == nil {
		w.drained(g, g.terminate())
	} else {
		g.kill()
	}
	return err
}

func (w *world) open(ctx context.Context) (err error) {
	if w.vendor, err = startUpstream(ctx, w.vendorOptions()); err != nil {
		return err
	}
	if w.network, err = startProxy(ctx, w.vendor.at, w.tally); err != nil {
		return err
	}
	if w.trap, err = startTrap(ctx, w.tally); err != nil {
		return err
	}
	w.visitors = newVisitors(w, w.chance(forVisitors))
	w.writers = &writers{world: w, removed: map[string]string{}}
	for _, room := range rooms {
		for range fewest {
			w.visitors.come(room)
		}
	}
	return w.replace(ctx)
}

// vendorOptions are a vendor drawn from the seed: lists of some pages, and people who
// answer soon.
func (w *world) vendorOptions() simulator.Options {
	chance := w.chance(forVendor)
	return simulator.Options{
		Seed: w.settings.seed, TimeScale: 10, Behaviour: simulator.Steady,
		MaxParticipants: 1000, PageSize: 12, LingerDisconnected: time.Duration(chance.IntN(2)) * time.Second,
		Envelope: chance.IntN(2) == 0, NewestFirst: chance.IntN(2) == 0, RemoveTwice: chance.IntN(2) == 0,
		ListLag: time.Duration(chance.IntN(2)*700) * time.Millisecond,
		Tokens:  []string{secret}, NoManagement: true, Logger: newStrikes(w.tally),
	}
}

// replace starts another process of the gateway, which everybody finds from then on.
func (w *world) replace(ctx context.Context) error {
	g, err := w.launch(ctx, w.network.addr())
	if err == nil {
		w.gateway.Store(g)
	}
	return err
}

// populate sets watchers, writers and visitors going until ctx ends.
func (w *world) populate(ctx context.Context) {
	for n := range 16 {
		watcher := &watcher{
			world: w, conference: rooms[n%2], door: []string{"gRPC", "SSE"}[n/2%2],
			restless: n/4%2 == 1, connected: n/8%2 == 1, held: roster{},
		}
		w.watchers = append(w.watchers, watcher)
		w.running.Go(func() { watcher.follow(ctx) })
	}
	for n := range 3 {
		w.running.Go(func() { w.writers.write(ctx, w.chance(uint64(forWriters+n))) })
	}
	w.running.Go(func() { w.visitors.roam(ctx) })
}

// list reads a conference through the gateway.
func (w *world) list(ctx context.Context, conference string) ([]human, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	response, err := w.gateway.Load().client.ListParticipants(ctx, &v2.ListParticipantsRequest{ConferenceId: conference})
	w.tally.call("ListParticipants", join(status.Code(err).String(), reasonOf(err)))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", conference, err)
	}
	return humansOf(response.GetParticipants()), nil
}

// drained holds a drain to its exit code, which await has seen, and its time (W16).
func (w *world) drained(g *gateway, took time.Duration) {
	w.tally.fault("gateway terminated")
	if took > drainTimeout+2*time.Second {
		w.tally.brokenf(badExits, "process %d took %s to drain", g.generation, took)
	}
}
