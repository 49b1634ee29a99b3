package replicahistories_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/internal/wire"
	"github.com/audian/participant-gateway/test/watchmodel"
)

const (
	conference = "conf"
	prefix     = "model:"
	slots      = 3
	watchers   = 4
)

// world is one history: the replicas, what they share, and the clients.
type world struct {
	t       *testing.T
	random  *rand.Rand
	seen    *counts
	logger  *slog.Logger
	began   time.Time
	latency time.Duration

	redis    *redistest.Server
	upstream *simulator.Simulator
	shown    *shown
	polls    *polls
	adds     *adds
	clients  []*client
	// replicas are those that run, by slot; started is how many ever did.
	replicas []*replica
	started  int
	// calls are under way at replicas; background is the end of replicas that were replaced.
	calls, background sync.WaitGroup
	observers         sync.WaitGroup
	done              chan struct{}

	mu      sync.Mutex
	ledger  *watchmodel.Ledger
	failure error
	events  []string
	// epochs numbers the logs in the order in which they were seen, by version.
	epochs map[feed.Epoch]int
	logs   map[int]int
	// losses are when Redis lost its logs, flushes when it lost all data without a restart, and
	// disturbances when anything was done to a replica or Redis.
	losses, flushes, disturbances []time.Time
	// departures are when a replica left, or could not reach Redis from then on.
	departures []time.Time
}

// filters are those of the clients.
var filters = []*v2.WatchParticipantsRequest{
	{},
	{},
	{Statuses: []v2.ParticipantStatus{v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED}},
	{Roles: []v2.ParticipantRole{v2.ParticipantRole_PARTICIPANT_ROLE_PRESENTER}},
}

func newWorld(t *testing.T, seed uint64, seen *counts) *world {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	w := &world{
		t: t, random: random, seen: seen, logger: slog.New(slog.DiscardHandler), began: time.Now(), shown: newShown(), adds: &adds{},
		latency:  time.Duration(5+random.IntN(60)) * time.Millisecond,
		redis:    redistest.Start(t, redistest.Options{AppendOnly: true, Config: []string{"rdbcompression no"}}),
		upstream: newUpstream(seed, random),
		ledger:   watchmodel.NewLedger(), epochs: map[feed.Epoch]int{}, logs: map[int]int{}, done: make(chan struct{}),
		replicas: make([]*replica, slots),
	}
	w.polls = newPolls(w)
	for i := range watchers {
		request := filters[i%len(filters)]
		w.clients = append(w.clients, &client{
			world: w, name: fmt.Sprintf("client %d", i), many: i%2 == 1, request: request, held: watchmodel.Roster{},
			filter: wire.Filter(request.GetStatuses(), request.GetRoles(), request.GetParticipantIds()),
		})
	}
	return w
}

func newUpstream(seed uint64, random *rand.Rand) *simulator.Simulator {
	return simulator.New(simulator.Options{
		Seed: seed, TimeScale: 20, Behaviour: simulator.Steady, APIKeys: []string{apiKey}, Conferences: []string{conference},
		Envelope: random.IntN(2) == 0, PageSize: []int{0, 0, 3}[random.IntN(3)],
		ListLag:            time.Duration([]int{0, 0, 600}[random.IntN(3)]) * time.Millisecond,
		LingerDisconnected: time.Duration([]int{0, 1000}[random.IntN(2)]) * time.Millisecond,
		RemoveTwice:        random.IntN(2) == 0, NoAdminAPI: true,
	})
}

// replace starts a replica in a slot.
func (w *world) replace(slot, version int, skew time.Duration) {
	w.notef("start in slot %d, version %d, clock wrong by %s", slot, version, skew)
	r, err := w.startReplica(version, skew)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.replicas[slot] = r
	w.mu.Unlock()
	w.observers.Go(func() { w.observe(r) })
}

// observe takes every state of a replica into the ledger until it is killed or the history ends.
func (w *world) observe(r *replica) {
	for {
		w.mu.Lock()
		changed := w.take(r)
		w.mu.Unlock()
		select {
		case <-changed:
		case <-time.After(20 * time.Millisecond):
		case <-r.gate.killed:
			return
		case <-w.done:
			return
		}
	}
}

// take adds a replica's state to the ledger. The channel is closed when there is another; nil without
// a feed. w.mu is held.
func (w *world) take(r *replica) (changed <-chan struct{}) {
	state := r.state()
	if state == nil {
		return nil
	}
	if state.Known {
		w.failLocked(r.name, w.takeKnown(r, state))
	}
	return state.Changed()
}

// takeKnown fails if the replicas do not agree on each position. w.mu is held.
func (w *world) takeKnown(r *replica, state *feed.State) error {
	if epoch := state.Position.Epoch; w.epochs[epoch] == 0 {
		w.epochs[epoch] = len(w.epochs) + 1
		w.logs[r.version]++
		w.eventf("log %s begins at %s", describe(state.Position), r.name)
	}
	if err := r.goesOn(state); err != nil {
		return err
	}
	if err := w.ledger.Take(state); err != nil {
		return fmt.Errorf("R2: the replicas do not agree at %s: %w", describe(state.Position), err)
	}
	for _, at := range w.ledger.Unseen() {
		entry := w.ledger.Entries[at]
		if err := w.shown.check(entry); err != nil {
			return err
		}
		for _, change := range entry.Changes {
			if change.ByWrite && !state.Polled {
				w.seen.add(writeFollowed)
			}
		}
	}
	return nil
}

// laterEpoch fails if a client goes back to a log before its own. w.mu is held.
func (w *world) laterEpoch(before, after feed.Epoch) error {
	if w.epochs[after] < w.epochs[before] {
		return fmt.Errorf("R8: back from log %x to the older log %x", before[:3], after[:3])
	}
	return nil
}

// eventf adds a line to the report of a failure. w.mu is held.
func (w *world) eventf(format string, args ...any) {
	w.events = append(w.events, fmt.Sprintf("%7.3f ", time.Since(w.began).Seconds())+fmt.Sprintf(format, args...))
}

// fail records the first failure.
func (w *world) fail(what string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failLocked(what, err)
}

func (w *world) failLocked(what string, err error) {
	if err == nil || w.failure != nil {
		return
	}
	w.eventf("FAILED %s: %s", what, err)
	w.failure = fmt.Errorf("%s: %w\n%s", what, err, strings.Join(w.events[max(0, len(w.events)-120):], "\n"))
}

func (w *world) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failure
}

// disturbf records that something is done to a replica or Redis.
func (w *world) disturbf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.eventf(format, args...)
	w.disturbances = append(w.disturbances, time.Now())
}

// depart is disturbf for a replica that leaves, or cannot reach Redis for a time.
func (w *world) depart(r *replica, how string) {
	w.disturbf("%s %s", how, r.name)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.departures = append(w.departures, time.Now())
}

// lose records that Redis loses its logs.
func (w *world) lose(flushed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.losses = append(w.losses, time.Now())
	if flushed {
		w.flushes = append(w.flushes, time.Now())
	}
}

// lostFor is how long a lease that Redis has lost may be believed in.
const lostFor = 4 * time.Second

// lostLately reports whether Redis has lost leases a moment ago.
func (w *world) lostLately() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.losses) > 0 && time.Since(w.losses[len(w.losses)-1]) < lostFor
}

// disturbed reports whether anything was done after a time, until another.
func (w *world) disturbed(after, until time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return anyBetween(w.disturbances, after, until)
}

func anyBetween(times []time.Time, after, until time.Time) bool {
	for _, at := range times {
		if at.After(after) && at.Before(until) {
			return true
		}
	}
	return false
}
