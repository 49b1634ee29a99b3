package roster

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// predatesWrite reports whether a list began before a write of a participant completed. Such
// a list proves nothing about them (W5).
func (p Poll) predatesWrite(m *Member) bool { return p.Began < m.Completed }

// recordCompleted records that a write completed. Lists begun before it no longer count. Writes
// can be planned in another order than that in which they completed.
func (m *Member) recordCompleted(w Write) {
	m.Completed = max(m.Completed, w.Done)
	if w.DoneAt.After(m.LastSeenAt) {
		m.LastSeenAt = w.DoneAt
	}
	m.MissedLists, m.PlaceholderSince = 0, time.Time{}
}

// applyAdd applies the response of an Add. If a Remove or a list has overtaken it, it
// changes nothing visible. After an overtaking list the Add is still pending: the next list
// may lag (W5, W6).
func (b *plan) applyAdd(w Write, member *Member) {
	switch {
	case member.RemoveCompleted > w.Sent:
		fillCreatedAt(w, member)
	case member.LastListed > w.Sent:
		fillCreatedAt(w, member)
		member.Pending = newPendingWrite(w)
	default:
		member.setPending(w)
		b.publishAdd(w, member)
	}
}

// publishAdd takes the response of an Add into the roster.
func (b *plan) publishAdd(w Write, member *Member) {
	before, wasPresent := member.Participant, member.Present
	after := b.merge(before, member.addedItem(w))
	b.set(member, after, true, w.DoneAt)
	switch {
	case !wasPresent:
		b.addChange(Change{After: &after, ByWrite: true}, w.SentAt)
	case participant.Changed(before, after) != 0:
		b.addChange(Change{Before: &before, After: &after, ByWrite: true}, w.SentAt)
	}
}

// setPending makes a write the one that affects how later lists are applied.
func (m *Member) setPending(w Write) {
	m.Pending, m.DeferredSince = newPendingWrite(w), w.SentAt
	if m.EvidenceAt.IsZero() {
		m.EvidenceAt = w.SentAt
	}
}

// fillCreatedAt takes created_at from a response that came too late: lists do not contain
// it.
func fillCreatedAt(w Write, member *Member) {
	if w.Item.Fields.Has(participant.FieldCreatedAt) && member.Participant.CreatedAt.IsZero() {
		member.Participant.CreatedAt = w.Item.CreatedAt
	}
}

// applyRemove applies the response of a Remove. If a list has overtaken it, it changes
// nothing and is not pending (W5).
func (b *plan) applyRemove(w Write, member *Member) {
	member.RemoveCompleted = max(member.RemoveCompleted, w.Done)
	if member.RemovedByList > w.Sent {
		member.Pending = nil
		return
	}
	member.setPending(w)
	member.endControls()
	if !member.Present {
		return
	}
	before := member.Participant
	b.set(member, before, false, w.DoneAt)
	b.addChange(Change{Before: &before, ByWrite: true}, w.SentAt)
}
