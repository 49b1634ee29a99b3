package roster

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// LagWindow is how long after a write completed a list may begin that does not show the
// write yet (W6). The first list that begins later decides.
const LagWindow = 5 * time.Second

// missedListsAfterRemove is how many consecutive complete lists after the window must miss
// a removed participant before the Remove is no longer pending.
const missedListsAfterRemove = 2

// PendingWrite is the latest write of an id, while it affects how lists are applied.
type PendingWrite struct {
	Kind   participant.WriteKind `json:"k"`
	SentAt time.Time             `json:"sa"`
	DoneAt time.Time             `json:"da"`
	// CallEnded reports that a list begun after the Add contained the participant as
	// disconnected or rejected, so that a later absence is no lag.
	CallEnded bool `json:"e"`
}

func newPendingWrite(w Write) *PendingWrite {
	return &PendingWrite{Kind: w.Kind, SentAt: w.SentAt, DoneAt: w.DoneAt}
}

// windowEnded reports whether a list began after the write's window.
func (w *PendingWrite) windowEnded(p Poll) bool {
	return p.List.Began.Sub(w.DoneAt) >= LagWindow
}

// ignoresAbsence reports whether an absence after an Add still counts as lag.
func (w *PendingWrite) ignoresAbsence(p Poll) bool {
	return w != nil && w.Kind == participant.WriteAdd && !w.CallEnded && !w.windowEnded(p)
}

// recordCallEnd records that an item shows the call ended, since the Add.
func (m *Member) recordCallEnd(item participant.Item) {
	if m.Pending == nil || m.Pending.CallEnded || !item.Fields.Has(participant.FieldStatus) || !item.Status.Ended() {
		return
	}
	ended := *m.Pending
	ended.CallEnded = true
	m.Pending = &ended
}

// tombstoned reports whether a pending Remove keeps the participant out of the roster.
func (m *Member) tombstoned() bool {
	return !m.Present && m.Pending != nil && m.Pending.Kind == participant.WriteRemove
}

// endAddWindow drops a pending Add whose window ended before a list.
func (m *Member) endAddWindow(p Poll) {
	if m.Pending != nil && m.Pending.Kind == participant.WriteAdd && m.Pending.windowEnded(p) {
		m.Pending = nil
	}
}
