package upstream

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
		{"an add takes one off", 0, r.addSent, 9},
		{"and another", 0.5, r.addSent, 8},
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
		{"whatever is added", 104, r.addSent, 1},
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

func TestW15_NextAt(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := newRate(10)
	if next, again := r.nextAt(now, now); next.Sub(now) != 100*time.Millisecond || again != next {
		t.Errorf("next after %v, again after %v", next.Sub(now), again.Sub(now))
	}
	for range 9 {
		r.addSent(now.Add(-500 * time.Millisecond))
	}
	if next, again := r.nextAt(now, now); next.Sub(now) != time.Second || again.Sub(now) != 500*time.Millisecond {
		t.Errorf("with adds: next after %v, again after %v", next.Sub(now), again.Sub(now))
	}
	r.pause(now, time.Hour)
	if got := r.paused.Sub(now); got != longestPause {
		t.Errorf("paused for %v", got)
	}
}

// TestW15_UrgentRequestsLowerTheSustainedRate notes requests that go ahead of the feeds' lists.
func TestW15_UrgentRequestsLowerTheSustainedRate(t *testing.T) {
	for name, test := range map[string]struct {
		perSecond   int
		least, most float64
	}{
		"none":                  {0, 10, 10},
		"two a second":          {2, 7.9, 8.3},
		"more than every other": {9, 5, 5},
	} {
		t.Run(name, func(t *testing.T) {
			now, r := time.Now(), newRate(10)
			for range 60 {
				for range test.perSecond {
					r.ahead.note(now)
				}
				now = now.Add(time.Second)
			}
			if got := r.sustained(now); got < test.least || got > test.most {
				t.Errorf("rate for lists %v, want %v to %v", got, test.least, test.most)
			}
			if got := r.sustained(now.Add(2 * time.Minute)); got < 9.99 {
				t.Errorf("two minutes later: %v", got)
			}
		})
	}
}

// TestW15_FewTokens compares what remains with the largest number seen.
func TestW15_FewTokens(t *testing.T) {
	b := newBudget(10, quiet)
	for _, step := range []struct {
		tokens int
		few    bool
	}{{3, false}, {10, false}, {2, false}, {1, true}, {0, true}, {1000, false}, {200, false}, {199, true}, {19, true}} {
		if got := b.isLow(step.tokens); got != step.few {
			t.Errorf("%d of %d are few: %v", step.tokens, b.mostTokens, got)
		}
	}
}
