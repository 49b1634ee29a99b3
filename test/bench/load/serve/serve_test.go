package serve

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestListsChange decodes all lists of a conference as the references do.
func TestListsChange(t *testing.T) {
	u := &upstream{conferences: map[string]*conference{}}
	for _, test := range []struct{ participants, changed int }{{1, 0}, {10, 1}, {100, 10}} {
		c, err := u.conference(Conference(test.participants, test.changed))
		if err != nil {
			t.Fatal(err)
		}
		held := map[string]participant{}
		for generation, body := range c.lists {
			var list participants
			if err := json.Unmarshal(body, &list); err != nil {
				t.Fatal(err)
			}
			want := test.changed
			if generation == 0 {
				want = test.participants
			}
			var changes int
			if held, changes = diff(held, list.Participants); changes != want {
				t.Errorf("%+v: generation %d has %d changes, want %d", test, generation, changes, want)
			}
		}
	}
	if _, err := u.conference("other"); err == nil {
		t.Error("a conference without numbers is known")
	}
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
