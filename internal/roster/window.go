package roster

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// windowTime is how long after a write completed lists may begin that lag behind it
// (W6). The first list that begins later decides.
const windowTime = 5 * time.Second

// rowAfterRemove is how many complete lists in a row after the window must lack a
// removed participant for the Remove to be forgotten.
const rowAfterRemove = 2

// PendingWrite is the latest write on an id, as far as later lists are read in its light.
type PendingWrite struct {
	Kind           participant.WriteKind
	SentAt, DoneAt time.Time
	// CallOver reports that a list begun after the Add showed the participant
	// disconnected or rejected, so that an absence is no lag.
	CallOver bool
}

func pending(w Write) *PendingWrite {
	return &PendingWrite{Kind: w.Kind, SentAt: w.SentAt, DoneAt: w.DoneAt}
}

// windowOver reports whether a list began after the write's window.
func (w *PendingWrite) windowOver(p Poll) bool {
	return p.List.Began.Sub(w.DoneAt) >= windowTime
}

// ignoresAbsence reports whether an absence after an Add is still taken for lag.
func (w *PendingWrite) ignoresAbsence(p Poll) bool {
	return w != nil && w.Kind == participant.WriteAdd && !w.CallOver && !w.windowOver(p)
}

// seesCallOver notes an item that is the first since the Add to show the call over, and
// reports whether it is.
func (w *PendingWrite) seesCallOver(item participant.Item) bool {
	first := w != nil && !w.CallOver && item.Fields.Has(participant.FieldStatus) && item.Status.Ended()
	if first {
		w.CallOver = true
	}
	return first
}

// tombstoned reports whether a Remove keeps the participant out of the roster.
func (m *Member) tombstoned() bool {
	return !m.Listed && m.Pending != nil && m.Pending.Kind == participant.WriteRemove
}

// endWindows drops the Adds whose windows ended before this list.
func (r *Roster) endWindows(batch *draft, p Poll) {
	for _, member := range r.members {
		w := member.Pending
		if w != nil && w.Kind == participant.WriteAdd && w.windowOver(p) {
			member.Pending = nil
			batch.touch(member)
		}
	}
}
