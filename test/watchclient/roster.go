package watchclient

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Roster is what a client holds after it applied every message.
type Roster map[string]Member

// Apply applies one message, and returns an error if it does not follow from those before.
func (r Roster) Apply(m Message) error {
	switch {
	case m.Snapshot != nil:
		return r.replace(m.Snapshot)
	case m.Changes != nil:
		return r.change(m.Changes)
	case m.Checkpoint != nil && m.Checkpoint.Count != nil && *m.Checkpoint.Count != len(r):
		return fmt.Errorf("participant_count is %d, held are %d", *m.Checkpoint.Count, len(r))
	default:
		return nil
	}
}

func (r Roster) replace(s *Snapshot) error {
	clear(r)
	for _, p := range s.Participants {
		if _, twice := r[p.ID]; twice {
			return fmt.Errorf("a snapshot has %s twice", p.ID)
		}
		r[p.ID] = p
	}
	return nil
}

func (r Roster) change(msg *Changes) error {
	if len(msg.Changes) == 0 {
		return errors.New("changes without a change")
	}
	for _, c := range msg.Changes {
		if err := r.one(c); err != nil {
			return fmt.Errorf("%s of %s: %w", c.Kind, c.Member.ID, err)
		}
	}
	return nil
}

func (r Roster) one(c Change) error {
	before, holds := r[c.Member.ID]
	switch {
	case holds == (c.Kind == "added"):
		return fmt.Errorf("held: %t", holds)
	case holds && (c.Previous == nil || *c.Previous != before.Status):
		return fmt.Errorf("previous_status is not %q", before.Status)
	case c.Kind == "updated" && c.Member == before:
		return errors.New("nothing differs")
	case c.Kind == "removed" && c.Member != before:
		return fmt.Errorf("the last known is %v, removed was %v", before, c.Member)
	}
	if c.Kind == "removed" || c.Kind == "left_filter" {
		delete(r, c.Member.ID)
	} else {
		r[c.Member.ID] = c.Member
	}
	return nil
}

// String is equal for equal rosters.
func (r Roster) String() string {
	var text strings.Builder
	for _, id := range slices.Sorted(maps.Keys(r)) {
		fmt.Fprintf(&text, "%v\n", r[id])
	}
	return text.String()
}
