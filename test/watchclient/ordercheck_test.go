package watchclient

import (
	"strings"
	"testing"
)

func TestW03_OneOrderForAllWatchers(t *testing.T) {
	update := msg("updated", "held", ada("connected")).Changes
	other := msg("updated", "held", ada("dialing")).Changes
	for name, test := range map[string]struct {
		report func(l *OrderCheck) error
		wrong  string
	}{
		"the same again":    {func(l *OrderCheck) error { return l.Changed("1", "2", update) }, ""},
		"further":           {func(l *OrderCheck) error { return l.Changed("2", "3", other) }, ""},
		"after a snapshot":  {func(l *OrderCheck) error { return l.Changed("", "2", update) }, ""},
		"other changes":     {func(l *OrderCheck) error { return l.Changed("1", "2", other) }, "received something else"},
		"a gap":             {func(l *OrderCheck) error { return l.Changed("1", "3", other) }, "after 1 came 3"},
		"the same roster":   {func(l *OrderCheck) error { return l.Holds("2", Roster{"ada": ada("connected")}) }, ""},
		"another roster":    {func(l *OrderCheck) error { return l.Holds("2", Roster{"ada": ada("held")}) }, "roster: at 2"},
		"elsewhere another": {func(l *OrderCheck) error { return l.Holds("3", Roster{"ada": ada("held")}) }, ""},
	} {
		l := NewOrderCheck()
		if err := l.Changed("1", "2", update); err != nil {
			t.Fatal(err)
		}
		if err := l.Holds("2", Roster{"ada": ada("connected")}); err != nil {
			t.Fatal(err)
		}
		found := ""
		if err := test.report(l); err != nil {
			found = err.Error()
		}
		if test.wrong == "" && found != "" || !strings.Contains(found, test.wrong) {
			t.Errorf("%s: found %q, want %q", name, found, test.wrong)
		}
	}
}

// TestW03_EqualChangesWithOtherPointersAgree has two watchers decode the same changes.
func TestW03_EqualChangesWithOtherPointersAgree(t *testing.T) {
	l := NewOrderCheck()
	for range 2 {
		if err := l.Changed("1", "2", msg("updated", "held", ada("connected")).Changes); err != nil {
			t.Error(err)
		}
	}
	if l.agreed != 1 {
		t.Errorf("agreed %d times", l.agreed)
	}
}
