package upstream

import (
	"testing"
	"testing/synctest"
	"time"
)

// alone are turns of a process that cannot reach the others.
type alone struct{ processes int }

func (alone) Start(func())         {}
func (alone) Want(bool)            {}
func (alone) Take() (Turn, bool)   { return nil, false }
func (alone) Unshared() Turn       { return unsharedTurn{} }
func (a alone) Forecast() Forecast { return Forecast{Alone: a.processes} }

type unsharedTurn struct{}

func (unsharedTurn) Sent()   {}
func (unsharedTurn) Return() {}

func TestR08_AloneEachProcessSendsItsPartOfTheAdds(t *testing.T) {
	for processes, want := range map[int]struct {
		first   int
		seconds float64 // for as many more
	}{1: {10, 1}, 2: {5, 1}, 3: {3, 1}, 4: {2, 1}, 10: {1, 1}, 15: {1, 2}, 30: {1, 3}} {
		synctest.Test(t, func(t *testing.T) {
			var p addPacer
			p.start(alone{processes})
			began := time.Now()
			for n := range 2 * want.first {
				if err := sendOne(t.Context(), &p, "c", false); err != nil {
					t.Fatal(err)
				}
				took := time.Since(began).Round(time.Second).Seconds()
				if n < want.first && took != 0 || n >= want.first && took != want.seconds {
					t.Errorf("%d processes: add %d after %g s", processes, n, took)
				}
			}
		})
	}
}

// TestR05_TheForecastCountsTheTurnsOfOthers: each process has every third turn, and one add of all
// left half a second ago.
func TestR05_TheForecastCountsTheTurnsOfOthers(t *testing.T) {
	now := time.Now()
	f := Forecast{Ahead: 2, Every: 3, Sent: []time.Time{now.Add(-2 * time.Second), now.Add(-500 * time.Millisecond)}, Unsent: 1}
	at := f.At(now)
	// Eight turns are free, then one when the sent add leaves the window, and then the unsent one.
	for position, want := range []time.Duration{0, 0, SharedAddWindow - 500*time.Millisecond, SharedAddWindow, SharedAddWindow} {
		if got := at(position).Sub(now); got != want {
			t.Errorf("turn %d comes after %s, want %s", position, got, want)
		}
	}
}

func TestR05_ALimitThatOthersDoNotKnowIsToldAgain(t *testing.T) {
	now := time.Now()
	limited := func() *pollRate {
		r := newRate(10)
		r.halve(now)
		r.pause(now, 5*time.Second)
		return r
	}
	for name, test := range map[string]struct {
		common Common
		pause  time.Duration
		halve  bool
		rate   float64
	}{
		"forgotten":      {Common{}, 5 * time.Second, true, 5},
		"known":          {Common{Limit: 5, Halved: now, Paused: now.Add(5 * time.Second)}, 0, false, 5},
		"known to limit": {Common{Limit: 2, Halved: now, Paused: now.Add(time.Minute)}, 0, false, 2},
		"regained":       {Common{Limit: 5, Halved: now.Add(-regainTime)}, 5 * time.Second, true, 5},
	} {
		r := limited()
		r.merge(test.common, now)
		pause, halve := r.unknownTo(test.common, now)
		if pause != test.pause || halve != test.halve || r.at(now) != test.rate {
			t.Errorf("%s: pause %s, halve %v, rate %g", name, pause, halve, r.at(now))
		}
	}
	if pause, halve := newRate(10).unknownTo(Common{}, now); pause != 0 || halve {
		t.Errorf("without a limit: pause %s, halve %v", pause, halve)
	}
}
