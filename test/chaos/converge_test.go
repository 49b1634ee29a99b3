package main

import "testing"

func ada(status string) member { return member{ID: "ada", Phone: "+1", Name: "Ada", Status: status} }

func msg(kind, previous string, h member) message {
	c := change{Kind: kind, Member: h}
	if previous != "" {
		c.Previous = &previous
	}
	return message{Token: "t", Changes: &changes{Changes: []change{c}}}
}

func snap(participants ...member) message {
	return message{Token: "t", Snapshot: &snapshot{Participants: participants, Reason: "initial"}}
}

func TestW02_DifferencesAreFound(t *testing.T) {
	for name, test := range map[string]struct {
		held, truth roster
		rule        string
	}{
		"alike":      {roster{"ada": ada("held")}, roster{"ada": ada("held")}, ""},
		"missed":     {roster{}, roster{"ada": ada("held")}, changesLost},
		"behind":     {roster{"ada": ada("dialing")}, roster{"ada": ada("held")}, changesLost},
		"left over":  {roster{"ada": ada("held")}, roster{}, changesInvented},
		"not shown":  {roster{}, filtered(roster{"ada": ada("held")}, true), ""},
		"is to show": {roster{}, filtered(roster{"ada": ada("connected")}, true), changesLost},
	} {
		found := differences(name, test.held, test.truth)
		if test.rule == "" && len(found) > 0 || test.rule != "" && (len(found) != 1 || found[0].rule != test.rule) {
			t.Errorf("%s: found %v, want %q", name, found, test.rule)
		}
	}
}
