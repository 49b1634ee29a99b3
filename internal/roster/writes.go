package roster

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// silenced says that a list began before a write of this participant completed: it
// says nothing about them (W5).
func (m *Member) silenced(p Poll) bool { return p.Began < m.Completed }

// add applies the answer of an Add, unless lists or a Remove have overtaken it (W5).
func (r *Roster) add(batch *draft, w Write, member *Member) {
	if member.Shown > w.Sent || member.RemoveDone > w.Sent {
		fillCreatedAt(w, member)
		return
	}
	member.govern(w)
	member.Heard = w.SentAt
	if !member.Listed {
		after := r.merge(member.Participant, w.Item)
		r.set(member, after, true, w.DoneAt)
		batch.change(member, Change{After: &after, ByWrite: true}, w.SentAt)
		return
	}
	before := member.Participant
	after := r.merge(before, w.Item)
	r.set(member, after, true, w.DoneAt)
	if participant.Changed(before, after) != 0 {
		batch.change(member, Change{Before: &before, After: &after, ByWrite: true}, w.SentAt)
	}
}

// govern makes a write the one in whose light later lists are read.
func (m *Member) govern(w Write) {
	m.Mark = &Mark{Kind: w.Kind, SentAt: w.SentAt, DoneAt: w.DoneAt}
	m.Missing, m.HeldFrom = 0, time.Time{}
}

// fillCreatedAt takes from an answer that came too late the one thing that lists do
// not tell.
func fillCreatedAt(w Write, member *Member) {
	if w.Item.Told.Has(participant.FieldCreatedAt) && member.Participant.CreatedAt.IsZero() {
		member.Participant.CreatedAt = w.Item.CreatedAt
	}
}

// remove applies the answer of a Remove, unless a list has overtaken it (W5).
func (r *Roster) remove(batch *draft, w Write, member *Member) {
	member.RemoveDone = w.Done
	if member.Removed > w.Sent {
		return
	}
	member.govern(w)
	if !member.Listed {
		return
	}
	before := member.Participant
	r.set(member, before, false, w.DoneAt)
	batch.change(member, Change{Before: &before, ByWrite: true}, w.SentAt)
}
