package account

import (
	"testing"
	"time"
)

// TestW15_Rate walks through what changes the rate of an account's polls.
func TestW15_Rate(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := newRate(10)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	for _, step := range []struct {
		name    string
		seconds float64
		do      func(time.Time)
		want    float64
	}{
		{"whole", 0, nil, 10},
		{"an add takes one off", 0, r.added, 9},
		{"and another", 0.5, r.added, 8},
		{"for a second", 1, nil, 9},
		{"each", 1.5, nil, 10},
		{"a shortage halves it", 2, r.halve, 5},
		{"once a second", 2.5, r.halve, 5.125},
		{"it is regained slowly", 22, nil, 10},
		{"but never beyond", 100, nil, 10},
		{"again", 101, r.halve, 5},
		{"and again", 102, r.halve, 2.625},
		{"and again", 103, r.halve, 1.4375},
		{"but not below one", 104, r.halve, 1},
		{"whatever is added", 104, r.added, 1},
	} {
		now := at(step.seconds)
		if step.do != nil {
			step.do(now)
		}
		if got := r.at(now); got != step.want {
			t.Errorf("%s: %v, want %v", step.name, got, step.want)
		}
	}
}

func TestW15_RateAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := newRate(10)
	if next, again := r.after(now, now); next.Sub(now) != 100*time.Millisecond || again != next {
		t.Errorf("next after %v, again after %v", next.Sub(now), again.Sub(now))
	}
	for range 9 {
		r.added(now.Add(-500 * time.Millisecond))
	}
	if next, again := r.after(now, now); next.Sub(now) != time.Second || again.Sub(now) != 500*time.Millisecond {
		t.Errorf("with adds: next after %v, again after %v", next.Sub(now), again.Sub(now))
	}
	r.pause(now, time.Hour)
	if got := r.paused.Sub(now); got != longestPause {
		t.Errorf("paused for %v", got)
	}
}
