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

// histories is how many are played: few in passing, twelve thousand by `make model`.
var histories = flag.Int("model.histories", 400, "random histories that the model test plays")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// workers play histories beside each other: each is one goroutine at a time, mostly.
const workers = 2

// TestModel_AnyHistoryIsToldAsItWas plays histories, and counts how often each promise
// that the model knows was put to the test: of many histories, at least once.
func TestModel_AnyHistoryIsToldAsItWas(t *testing.T) {
	if err := setChecks(max(*histories/workers, 1)); err != nil {
		t.Fatal(err)
	}
	var seen counts
	t.Run("histories", func(t *testing.T) {
		for worker := range workers {
			t.Run(strconv.Itoa(worker), func(t *testing.T) {
				t.Parallel()
				playHistories(t, &seen)
			})
		}
	})
	t.Logf("put to the test:\n%s", seen.String())
	if *histories < allSeen {
		return // A few histories may well lack what is rare.
	}
	for _, missing := range seen.missing() {
		t.Errorf("no history put this to the test: %s", missing)
	}
}

// allSeen is how many histories put every promise to the test, the rarest dozens of times.
const allSeen = 5000

// setChecks tells rapid how many, unless its own flag was given. A failure is played
// again by its seed: files of draws would be read by histories of another form.
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

// flagGiven names the flags that the command line had, before any test set others.
var flagGiven = sync.OnceValue(func() map[string]bool {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	return given
})

func playHistories(t *testing.T, seen *counts) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		drawn := anyHistory.Draw(rt, "history")
		var failure error
		synctest.Test(t, func(*testing.T) { failure = play(drawn, seen) })
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}
