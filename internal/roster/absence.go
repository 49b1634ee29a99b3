package roster

import "time"

// placeholderApart is how far apart two lists without an array must begin for the
// second to prove that nobody is there (W7).
const placeholderApart = 2 * time.Second

// recordAbsence applies a complete list to a participant whom it did not show.
func (r *Roster) recordAbsence(batch *draft, p Poll, member *Member) {
	switch {
	case member.predatesWrite(p):
	case member.Listed && member.Pending.ignoresAbsence(p):
		// The list is ignored for this participant: it neither counts as a row of
		// W7 nor breaks one.
		if member.DeferredSince.IsZero() {
			member.DeferredSince = member.Pending.SentAt
			batch.touch(member)
		}
	case !member.provesAbsence(p):
		batch.touch(member)
	case member.tombstoned():
		r.confirmRemoved(batch, p, member)
	case member.Listed:
		r.countMissed(batch, p, member)
	default:
		member.agreeAbsent(batch, p)
	}
}

// agreeAbsent notes that a list proved the absence of somebody who is not listed.
func (m *Member) agreeAbsent(batch *draft, p Poll) {
	m.EvidenceAt = p.List.Began
	if !m.DeferredSince.IsZero() {
		m.DeferredSince = time.Time{}
		batch.touch(m)
	}
}

// provesAbsence reports whether a complete list says that the participant is absent: a
// placeholder alone does not.
func (m *Member) provesAbsence(p Poll) bool {
	if !p.List.Placeholder {
		m.EmptySince = time.Time{}
		return true
	}
	if m.EmptySince.IsZero() {
		m.EmptySince = p.List.Began
	}
	return p.List.Began.Sub(m.EmptySince) >= placeholderApart
}

// countMissed takes a list as proof that a participant left, or as half of it.
func (r *Roster) countMissed(batch *draft, p Poll, member *Member) {
	member.MissedLists++
	batch.touch(member)
	if member.MissedLists < rowNeeded(p) {
		return
	}
	before, notBefore := member.Participant, member.changedAfter()
	member.RemovedByList, member.Pending = p.Began, nil
	member.LastSeenAt, member.EvidenceAt = p.List.Began, p.List.Began
	member.MissedLists, member.DeferredSince = 0, time.Time{}
	r.set(member, before, false, p.List.Began)
	batch.change(member, Change{Before: &before}, notBefore)
}

// rowNeeded is how many complete lists in a row must lack a participant: pages can
// shift while they are read, so that a list of several proves nothing alone.
func rowNeeded(p Poll) int {
	if p.List.Pages > 1 {
		return 2
	}
	return 1
}

// confirmRemoved counts the complete lists after the window of a Remove that lack the
// participant: two in a row, and the Remove is over.
func (r *Roster) confirmRemoved(batch *draft, p Poll, member *Member) {
	member.agreeAbsent(batch, p)
	if !member.Pending.windowOver(p) {
		return
	}
	member.MissedLists++
	batch.touch(member)
	if member.MissedLists == rowAfterRemove {
		member.Pending, member.MissedLists = nil, 0
		member.LastSeenAt = p.List.Began
	}
}
