package main

import (
	"strings"
	"testing"
)

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

func TestW02_RosterRefusesInconsistentMessages(t *testing.T) {
	for name, test := range map[string]struct {
		messages []message
		wrong    string
		held     int
	}{
		"a snapshot replaces":            {[]message{snap(ada("held")), snap()}, "", 0},
		"a participant twice":            {[]message{snap(ada("held"), ada("held"))}, "has ada twice", 1},
		"added":                          {[]message{snap(), msg("added", "", ada("dialing"))}, "", 1},
		"added again":                    {[]message{snap(ada("held")), msg("added", "", ada("held"))}, "held: true", 1},
		"updated":                        {[]message{snap(ada("held")), msg("updated", "held", ada("connected"))}, "", 1},
		"updated without being held":     {[]message{snap(), msg("updated", "held", ada("connected"))}, "held: false", 0},
		"updated from elsewhere":         {[]message{snap(ada("held")), msg("updated", "dialing", ada("connected"))}, "previous_status", 1},
		"updated without a difference":   {[]message{snap(ada("held")), msg("updated", "held", ada("held"))}, "nothing differs", 1},
		"removed":                        {[]message{snap(ada("held")), msg("removed", "held", ada("held"))}, "", 0},
		"removed with an invented state": {[]message{snap(ada("held")), msg("removed", "held", ada("disconnected"))}, "last known", 1},
		"left the filter":                {[]message{snap(ada("held")), msg("left_filter", "held", ada("connected"))}, "", 0},
		"no change at all":               {[]message{snap(), {Changes: &changes{}}}, "without a change", 0},
		"a count that fits":              {[]message{snap(ada("held")), {Checkpoint: &checkpoint{Count: new(1)}}}, "", 1},
		"a count that does not":          {[]message{snap(ada("held")), {Checkpoint: &checkpoint{Count: new(2)}}}, "participant_count", 1},
	} {
		t.Run(name, func(t *testing.T) {
			held, wrong := roster{}, ""
			for _, m := range test.messages {
				if err := held.apply(m); err != nil {
					wrong = err.Error()
				}
			}
			if test.wrong == "" && wrong != "" || !strings.Contains(wrong, test.wrong) || len(held) != test.held {
				t.Errorf("found %q, want %q; held %d", wrong, test.wrong, len(held))
			}
		})
	}
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
		"not shown":  {roster{}, roster{"ada": ada("held")}.filtered(true), ""},
		"is to show": {roster{}, roster{"ada": ada("connected")}.filtered(true), changesLost},
	} {
		found := differences(name, test.held, test.truth)
		if test.rule == "" && len(found) > 0 || test.rule != "" && (len(found) != 1 || found[0].rule != test.rule) {
			t.Errorf("%s: found %v, want %q", name, found, test.rule)
		}
	}
}
