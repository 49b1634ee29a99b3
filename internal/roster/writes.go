package roster

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// predatesWrite reports whether a list began before a write of this participant
// completed: it says nothing about them (W5).
func (m *Member) predatesWrite(p Poll) bool { return p.Began < m.Completed }

// completed notes that a write completed: lists begun before it count no more.
func (m *Member) completed(w Write) {
	m.Completed, m.LastSeenAt = w.Done, w.DoneAt
	m.MissedLists, m.EmptySince = 0, time.Time{}
}

// add applies the answer of an Add. One that a Remove or a list has overtaken makes no
// change; the list, though, may be the one that lags next (W5, W6).
func (r *Roster) add(batch *draft, w Write, member *Member) {
	switch {
	case member.RemoveCompleted > w.Sent:
		fillCreatedAt(w, member)
	case member.LastShown > w.Sent:
		fillCreatedAt(w, member)
		member.Pending = pending(w)
	default:
		member.supersede(w)
		r.publishAdd(batch, w, member)
	}
}

// publishAdd makes the answer of an Add what the roster holds.
func (r *Roster) publishAdd(batch *draft, w Write, member *Member) {
	before, wasListed := member.Participant, member.Listed
	after := r.merge(before, w.Item)
	r.set(member, after, true, w.DoneAt)
	switch {
	case !wasListed:
		batch.change(member, Change{After: &after, ByWrite: true}, w.SentAt)
	case participant.Changed(before, after) != 0:
		batch.change(member, Change{Before: &before, After: &after, ByWrite: true}, w.SentAt)
	}
}

// supersede makes a write the one in whose light later lists are read.
func (m *Member) supersede(w Write) {
	m.Pending, m.DeferredSince = pending(w), w.SentAt
	if m.EvidenceAt.IsZero() {
		m.EvidenceAt = w.SentAt
	}
}

// fillCreatedAt takes from an answer that came too late the one thing that lists do
// not contain.
func fillCreatedAt(w Write, member *Member) {
	if w.Item.Fields.Has(participant.FieldCreatedAt) && member.Participant.CreatedAt.IsZero() {
		member.Participant.CreatedAt = w.Item.CreatedAt
	}
}

// remove applies the answer of a Remove. One that a list has overtaken makes no change
// and opens no window (W5).
func (r *Roster) remove(batch *draft, w Write, member *Member) {
	member.RemoveCompleted = w.Done
	if member.RemovedByList > w.Sent {
		member.Pending = nil
		return
	}
	member.supersede(w)
	if !member.Listed {
		return
	}
	before := member.Participant
	r.set(member, before, false, w.DoneAt)
	batch.change(member, Change{Before: &before, ByWrite: true}, w.SentAt)
}
