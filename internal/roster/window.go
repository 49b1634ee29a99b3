package roster

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// A write's window (W6) lasts until windowTime has passed and windowLists lists begun
// after the write were read; the next list decides.
const (
	windowTime  = 5 * time.Second
	windowLists = 2
)

// rowAfterRemove is how many complete lists in a row after the window must lack a
// removed participant for the Remove to be forgotten.
const rowAfterRemove = 2

// Mark is the latest write on an id, as far as later lists are read in its light.
type Mark struct {
	Kind           participant.WriteKind
	SentAt, DoneAt time.Time
	// Lists is how many lists begun after the write were read, windowLists at most.
	Lists int
	// OverSeen says that such a list showed the added participant disconnected or
	// rejected, so that an absence is no lag.
	OverSeen bool
	// Lacked is how many complete lists in a row after the window lacked the removed
	// participant.
	Lacked int
}

// decides says that the write's window is over for this list.
func (m *Mark) decides(p Poll) bool {
	return m.Lists >= windowLists && p.List.Began.Sub(m.DoneAt) >= windowTime
}

// holdsAbsence says that an absence after an Add is still taken for lag.
func (m *Mark) holdsAbsence(p Poll) bool {
	return m != nil && m.Kind == participant.WriteAdd && !m.OverSeen && !m.decides(p)
}

// seesOver says that an item is the first since the Add to show the call over.
func (m *Mark) seesOver(item participant.Item) bool {
	return m != nil && !m.OverSeen && item.Told.Has(participant.FieldStatus) && item.Status.Over()
}

// keptOut says that a Remove keeps the participant out of the roster.
func (m *Member) keptOut() bool {
	return !m.Listed && m.Mark != nil && m.Mark.Kind == participant.WriteRemove
}

// showKeptOut reads an item in the light of a Remove: lag within the window; a
// lingering disconnected or rejected after it confirms the Remove; anything else
// says that the participant is there after all.
func (r *Roster) showKeptOut(batch *draft, p Poll, member *Member, item participant.Item) {
	after := r.merge(member.Participant, item)
	if member.Mark.decides(p) && !after.Status.Over() {
		r.join(batch, p, member, item, member.Mark.SentAt)
		return
	}
	if member.Mark.Lacked != 0 {
		member.Mark.Lacked = 0
		batch.touch(member)
	}
}

// lackKeptOut counts the lists that show a Remove to be through.
func (r *Roster) lackKeptOut(batch *draft, p Poll, member *Member) {
	if !member.Mark.decides(p) {
		return
	}
	member.Mark.Lacked++
	if member.Mark.Lacked == rowAfterRemove {
		member.Mark = nil
		member.Since = p.List.Began
	}
	batch.touch(member)
}

// readMarks counts this list for every window it falls into, and ends the windows
// of Adds that it decided.
func (r *Roster) readMarks(batch *draft, p Poll) {
	for _, member := range r.members {
		mark := member.Mark
		if mark == nil || member.silenced(p) {
			continue
		}
		switch {
		case mark.Kind == participant.WriteAdd && mark.decides(p):
			member.Mark = nil
			batch.touch(member)
		case mark.Lists < windowLists:
			mark.Lists++
			batch.touch(member)
		}
	}
}
