package main

import (
	"strings"
	"testing"
)

func TestW03_OneOrderForAllWatchers(t *testing.T) {
	update := msg("updated", "held", ada("connected")).Changes
	other := msg("updated", "held", ada("dialing")).Changes
	for name, test := range map[string]struct {
		report func(l *orderCheck) error
		wrong  string
	}{
		"the same again":    {func(l *orderCheck) error { return l.changed("1", "2", update) }, ""},
		"further":           {func(l *orderCheck) error { return l.changed("2", "3", other) }, ""},
		"after a snapshot":  {func(l *orderCheck) error { return l.changed("", "2", update) }, ""},
		"other changes":     {func(l *orderCheck) error { return l.changed("1", "2", other) }, "received something else"},
		"a gap":             {func(l *orderCheck) error { return l.changed("1", "3", other) }, "after 1 came 3"},
		"the same roster":   {func(l *orderCheck) error { return l.holds("2", roster{"ada": ada("connected")}) }, ""},
		"another roster":    {func(l *orderCheck) error { return l.holds("2", roster{"ada": ada("held")}) }, "roster: at 2"},
		"elsewhere another": {func(l *orderCheck) error { return l.holds("3", roster{"ada": ada("held")}) }, ""},
	} {
		l := newOrderCheck()
		if err := l.changed("1", "2", update); err != nil {
			t.Fatal(err)
		}
		if err := l.holds("2", roster{"ada": ada("connected")}); err != nil {
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
	l := newOrderCheck()
	for range 2 {
		if err := l.changed("1", "2", msg("updated", "held", ada("connected")).Changes); err != nil {
			t.Error(err)
		}
	}
	if l.agreed != 1 {
		t.Errorf("agreed %d times", l.agreed)
	}
}
