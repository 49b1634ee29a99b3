package roster

import "time"

// placeholderGap is how far apart two placeholder lists must begin for the second to prove
// that nobody is present (W7).
const placeholderGap = 2 * time.Second

// applyAbsence applies a complete list to a participant whom it did not contain.
func (r *Roster) applyAbsence(batch *batchBuilder, p Poll, member *Member) {
	switch {
	case p.predatesWrite(member):
	case member.Present && member.Pending.ignoresAbsence(p):
		// The list neither counts as a missed list (W7) nor resets the count.
		if member.DeferredSince.IsZero() {
			member.DeferredSince = member.Pending.SentAt
			batch.markChanged(member)
		}
	case !member.provesAbsence(p):
		batch.markChanged(member)
	case member.tombstoned():
		r.confirmRemove(batch, p, member)
	case member.Present:
		r.countMissedList(batch, p, member)
	default:
		member.confirmAbsent(batch, p)
	}
}

// confirmAbsent records that a list proved the absence of a participant who is not present.
func (m *Member) confirmAbsent(batch *batchBuilder, p Poll) {
	m.EvidenceAt = p.List.Began
	if !m.DeferredSince.IsZero() {
		m.DeferredSince = time.Time{}
		batch.markChanged(m)
	}
}

// provesAbsence reports whether a complete list that does not contain the participant
// proves their absence. A single placeholder list does not.
func (m *Member) provesAbsence(p Poll) bool {
	if !p.List.Placeholder {
		m.PlaceholderSince = time.Time{}
		return true
	}
	if m.PlaceholderSince.IsZero() {
		m.PlaceholderSince = p.List.Began
	}
	return p.List.Began.Sub(m.PlaceholderSince) >= placeholderGap
}

// countMissedList counts a list without the participant, and removes them if it is enough.
func (r *Roster) countMissedList(batch *batchBuilder, p Poll, member *Member) {
	member.MissedLists++
	batch.markChanged(member)
	if member.MissedLists < missedListsToRemove(p) {
		return
	}
	before, notBefore := member.Participant, member.changedAfter()
	member.RemovedByList, member.Pending = p.Began, nil
	member.LastSeenAt, member.EvidenceAt = p.List.Began, p.List.Began
	member.MissedLists, member.DeferredSince = 0, time.Time{}
	r.set(member, before, false, p.List.Began)
	batch.addChange(member, Change{Before: &before}, notBefore)
}

// missedListsToRemove returns how many consecutive complete lists must miss a participant
// to remove them. Pages can shift while they are read, so one list of several pages proves
// nothing alone.
func missedListsToRemove(p Poll) int {
	if p.List.Pages > 1 {
		return 2
	}
	return 1
}

// confirmRemove counts a complete list after the window of a Remove that does not contain
// the participant. After missedListsAfterRemove of them the Remove is no longer pending.
func (r *Roster) confirmRemove(batch *batchBuilder, p Poll, member *Member) {
	member.confirmAbsent(batch, p)
	if !member.Pending.windowEnded(p) {
		return
	}
	member.MissedLists++
	batch.markChanged(member)
	if member.MissedLists == missedListsAfterRemove {
		member.Pending, member.MissedLists = nil, 0
		member.LastSeenAt = p.List.Began
	}
}
