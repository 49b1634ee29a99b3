package histories_test

import (
	"flag"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

// histories is how many histories run: few by default, 12,000 with `make model`.
var histories = flag.Int("model.histories", 400, "random histories that the model test runs")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// workers is how many histories run in parallel. Each mostly uses one goroutine at a time.
const workers = 2

// TestModel_EveryHistoryIsReportedCorrectly runs histories, and counts how often they
// tested each promise that the model knows. Many histories must test each at least once.
func TestModel_EveryHistoryIsReportedCorrectly(t *testing.T) {
	seen := counts{wanted: wanted}
	playInWorkers(t, *histories, func(t *testing.T, rt *rapid.T) error {
		drawn := historyGenerator.Draw(rt, "history")
		var failure error
		synctest.Test(t, func(*testing.T) { failure = run(drawn, &seen) })
		return failure
	})
	t.Logf("tested:\n%s", seen.String())
	if *histories < allSeen {
		return // A few histories may not test what is rare.
	}
	for _, missing := range seen.missing() {
		t.Errorf("no history tested: %s", missing)
	}
}

// allSeen is how many histories are enough to test every promise, the rarest dozens of times.
const allSeen = 5000

// setChecks sets rapid's number of checks, unless its own flag was given. A failure is repeated
// by its seed: the format of histories changes, so files of draws would become invalid.
func setChecks(n int) error {
	for name, value := range map[string]string{"rapid.checks": strconv.Itoa(n), "rapid.nofailfile": "true"} {
		if flagGiven()[name] {
			continue
		}
		if err := flag.Set(name, value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	return nil
}

// flagGiven returns the flags of the command line, before any test sets others.
var flagGiven = sync.OnceValue(func() map[string]bool {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	return given
})

// playInWorkers plays n histories, some of them in parallel.
func playInWorkers(t *testing.T, n int, play func(*testing.T, *rapid.T) error) {
	t.Helper()
	if err := setChecks(max(n/workers, 1)); err != nil {
		t.Fatal(err)
	}
	t.Run("histories", func(t *testing.T) {
		for worker := range workers {
			t.Run(strconv.Itoa(worker), func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(rt *rapid.T) {
					if err := play(t, rt); err != nil {
						rt.Fatal(err)
					}
				})
			})
		}
	})
}
