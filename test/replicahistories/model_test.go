package replicahistories_test

import (
	"flag"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/internal/simulator"
)

var (
	// histories is how many histories run: few by default, 300 with `make model-replicas`.
	histories = flag.Int("replicas.histories", 16, "random histories of replicas that the model test runs")
	// firstSeed is that of the first history. The next ones count up.
	firstSeed = flag.Uint64("replicas.seed", 1, "seed of the first history")
)

// workers is how many histories run in parallel: they mostly wait.
const workers = "8"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", workers); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// TestModel_ReplicasBehaveAsOneGateway runs histories, and counts how often they tested each
// promise. Many histories must test each at least once.
func TestModel_ReplicasBehaveAsOneGateway(t *testing.T) {
	var seen counts
	t.Run("histories", func(t *testing.T) {
		for n := range uint64(*histories) {
			seed := *firstSeed + n
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				t.Parallel()
				if err := play(t, seed, &seen); err != nil {
					t.Error(err)
				}
			})
		}
	})
	t.Logf("tested:\n%s", seen.String())
	if *histories < allSeen {
		return // A few histories may not test what is rare.
	}
	for _, missing := range seen.missing() {
		t.Errorf("no history tested: %s", missing)
	}
}

// allSeen is how many histories are enough to test every promise.
const allSeen = 200

// play runs one history to its end, and returns the first failure.
func play(t *testing.T, seed uint64, seen *counts) error {
	t.Helper()
	w := newWorld(t, seed, seen)
	w.upstream.AddParticipant(conference, simulator.Participant{ID: "host", Status: "connected", Role: "presenter", Name: "Host"})
	for slot := range slots {
		w.replace(slot, 0, 0)
	}
	for i, c := range w.clients {
		c.open(w.replicas[i%slots], false)
	}
	w.steps(3)
	first := int(seed) % len(disturbances)
	for _, disturbance := range []int{first, w.random.IntN(len(disturbances))} {
		if w.failed() == nil {
			disturbances[disturbance](w)
		}
		w.steps(3)
	}
	w.rest()
	seen.add(historyPlayed)
	return w.end()
}

func (w *world) steps(n int) {
	for range n {
		if w.failed() == nil {
			w.step()
		}
	}
}

// step does something, after a time.
func (w *world) step() {
	w.wait(time.Duration(w.random.IntN(300)) * time.Millisecond)
	steps[w.random.IntN(len(steps))](w)
}
