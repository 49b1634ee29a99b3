package watchclient

import (
	"strings"
	"testing"
)

func ada(status string) Member { return Member{ID: "ada", Phone: "+1", Name: "Ada", Status: status} }

func msg(kind, previous string, h Member) Message {
	c := Change{Kind: kind, Member: h}
	if previous != "" {
		c.Previous = &previous
	}
	return Message{Token: "t", Changes: &Changes{Changes: []Change{c}}}
}

func snap(participants ...Member) Message {
	return Message{Token: "t", Snapshot: &Snapshot{Participants: participants, Reason: "initial"}}
}

func TestW02_RosterRefusesInconsistentMessages(t *testing.T) {
	for name, test := range map[string]struct {
		messages []Message
		wrong    string
		held     int
	}{
		"a snapshot replaces":            {[]Message{snap(ada("held")), snap()}, "", 0},
		"a participant twice":            {[]Message{snap(ada("held"), ada("held"))}, "has ada twice", 1},
		"added":                          {[]Message{snap(), msg("added", "", ada("dialing"))}, "", 1},
		"added again":                    {[]Message{snap(ada("held")), msg("added", "", ada("held"))}, "held: true", 1},
		"updated":                        {[]Message{snap(ada("held")), msg("updated", "held", ada("connected"))}, "", 1},
		"updated without being held":     {[]Message{snap(), msg("updated", "held", ada("connected"))}, "held: false", 0},
		"updated from elsewhere":         {[]Message{snap(ada("held")), msg("updated", "dialing", ada("connected"))}, "previous_status", 1},
		"updated without a difference":   {[]Message{snap(ada("held")), msg("updated", "held", ada("held"))}, "nothing differs", 1},
		"removed":                        {[]Message{snap(ada("held")), msg("removed", "held", ada("held"))}, "", 0},
		"removed with an invented state": {[]Message{snap(ada("held")), msg("removed", "held", ada("disconnected"))}, "last known", 1},
		"left the filter":                {[]Message{snap(ada("held")), msg("left_filter", "held", ada("connected"))}, "", 0},
		"no change at all":               {[]Message{snap(), {Changes: &Changes{}}}, "without a change", 0},
		"a count that fits":              {[]Message{snap(ada("held")), {Checkpoint: &Checkpoint{Count: new(1)}}}, "", 1},
		"a count that does not":          {[]Message{snap(ada("held")), {Checkpoint: &Checkpoint{Count: new(2)}}}, "participant_count", 1},
	} {
		t.Run(name, func(t *testing.T) {
			held, wrong := Roster{}, ""
			for _, m := range test.messages {
				if err := held.Apply(m); err != nil {
					wrong = err.Error()
				}
			}
			if test.wrong == "" && wrong != "" || !strings.Contains(wrong, test.wrong) || len(held) != test.held {
				t.Errorf("found %q, want %q; held %d", wrong, test.wrong, len(held))
			}
		})
	}
}
