package roster

import "time"

// placeholderGap is how far apart two placeholder lists must begin for the second to prove
// that nobody is present (W7).
const placeholderGap = 2 * time.Second

// applyMissing applies a list to a member that it does not contain.
func (b *plan) applyMissing(p Poll, id string) {
	member := b.member(id)
	if b.Complete {
		b.applyAbsence(p, &member)
	}
	b.finish(p, &member)
}

// applyAbsence applies a complete list to a participant that the list does not contain.
func (b *plan) applyAbsence(p Poll, member *Member) {
	switch {
	case p.predatesWrite(member):
	case member.Present && member.Pending.ignoresAbsence(p):
		// The list neither counts as a missed list (W7) nor resets the count.
		if member.DeferredSince.IsZero() {
			member.DeferredSince = member.Pending.SentAt
		}
	case !member.provesAbsence(p):
	case member.tombstoned():
		member.confirmRemove(p)
	case member.Present:
		b.countMissedList(p, member)
	default:
		member.confirmAbsent(p)
	}
}

// confirmAbsent records that a list proved the absence of a participant who is not present.
func (m *Member) confirmAbsent(p Poll) {
	m.EvidenceAt, m.DeferredSince = p.List.Began, time.Time{}
}

// provesAbsence reports whether a complete list that does not contain the participant
// proves their absence. A single placeholder list does not.
func (m *Member) provesAbsence(p Poll) bool {
	m.PlaceholderSince = p.placeholderSince(m.PlaceholderSince)
	return p.provesAbsence(m.PlaceholderSince)
}

// placeholderSince returns when the first of consecutive placeholder lists began, after a list.
func (p Poll) placeholderSince(since time.Time) time.Time {
	switch {
	case !p.List.Placeholder:
		return time.Time{}
	case since.IsZero():
		return p.List.Began
	default:
		return since
	}
}

// provesAbsence reports whether a complete list proves the absence of an id that it does not
// contain.
func (p Poll) provesAbsence(placeholderSince time.Time) bool {
	return !p.List.Placeholder || p.List.Began.Sub(placeholderSince) >= placeholderGap
}

// countMissedList counts a list without the participant, and removes them if it is enough.
func (b *plan) countMissedList(p Poll, member *Member) {
	member.MissedLists++
	if member.MissedLists < missedListsToRemove(p) {
		return
	}
	before, notBefore := member.Participant, member.changedAfter()
	member.RemovedByList, member.Pending = p.Began, nil
	member.LastSeenAt, member.EvidenceAt = p.List.Began, p.List.Began
	member.MissedLists, member.DeferredSince = 0, time.Time{}
	b.set(member, before, false, p.List.Began)
	b.addChange(Change{Before: &before}, notBefore)
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
func (m *Member) confirmRemove(p Poll) {
	m.confirmAbsent(p)
	if !m.Pending.windowEnded(p) {
		return
	}
	m.MissedLists++
	if m.MissedLists == missedListsAfterRemove {
		m.Pending, m.MissedLists = nil, 0
		m.LastSeenAt = p.List.Began
	}
}
