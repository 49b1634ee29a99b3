package serve

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestListsChange decodes lists of a conference as the references do.
func TestListsChange(t *testing.T) {
	u := &upstream{conferences: map[string]*conference{}}
	for _, test := range []struct{ participants, changed int }{{1, 0}, {10, 1}, {100, 10}} {
		c, err := u.conference(Conference(test.participants, test.changed))
		if err != nil {
			t.Fatal(err)
		}
		held, want := map[string]participant{}, test.participants
		for number := range 4 {
			var changes int
			if held, changes = diff(held, decoded(t, c.next(c.began))); changes != want {
				t.Errorf("%+v: list %d has %d changes, want %d", test, number, changes, want)
			}
			want = test.changed
		}
	}
	if _, err := u.conference("other"); err == nil {
		t.Error("a conference without numbers is known")
	}
}

// TestDurationsTick checks that each duration ticks once a second, and not all at the same time.
func TestDurationsTick(t *testing.T) {
	c, err := (&upstream{conferences: map[string]*conference{}}).conference(Conference(10, 0))
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]int{0: 0, 200 * time.Millisecond: 2, time.Second: 10, 7000 * time.Second: 70000} {
		ticks := 0
		for _, p := range decoded(t, c.next(c.began.Add(after))) {
			ticks += int(p.Duration) - firstDuration
		}
		if ticks != want {
			t.Errorf("after %v: %d ticks, want %d", after, ticks, want)
		}
	}
}

func decoded(t *testing.T, body []byte) []participant {
	t.Helper()
	var list participants
	if err := json.Unmarshal(body, &list); err != nil {
		t.Fatal(err)
	}
	return list.Participants
}

func TestDiff(t *testing.T) {
	ada, bob := participant{ID: "1", Name: "Ada", Duration: 1}, participant{ID: "2", Name: "Bob", Duration: 1}
	later, renamed := ada, bob
	later.Duration, renamed.Name = 2, "Robert"
	for name, test := range map[string]struct {
		before, after []participant
		changes       int
	}{
		"durations": {[]participant{ada}, []participant{later}, 0},
		"added":     {[]participant{ada}, []participant{ada, bob}, 1},
		"removed":   {[]participant{ada, bob}, []participant{ada}, 1},
		"changed":   {[]participant{ada, bob}, []participant{later, renamed}, 1},
	} {
		held, _ := diff(nil, test.before)
		if _, changes := diff(held, test.after); changes != test.changes {
			t.Errorf("%s: %d changes, want %d", name, changes, test.changes)
		}
	}
}

func TestDataHasTheSize(t *testing.T) {
	for _, size := range []int{20, 300} {
		if text := data(size); len(text) != size || !json.Valid([]byte(text)) || strings.Contains(text, "\n") {
			t.Errorf("data of %d bytes: %q", size, text)
		}
	}
}
