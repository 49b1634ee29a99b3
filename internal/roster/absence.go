package roster

import "time"

// lack applies a complete list that did not show a kept id.
func (r *Roster) lack(batch *draft, p Poll, member *Member) {
	if member.silenced(p) {
		return
	}
	switch {
	case member.keptOut():
		r.lackKeptOut(batch, p, member)
	case member.Listed && member.Mark.holdsAbsence(p):
		// The list is ignored for this participant: it neither counts as a row of
		// W7 nor breaks one.
		if member.HeldFrom.IsZero() {
			member.HeldFrom = member.Mark.SentAt
			batch.touch(member)
		}
	case member.Listed:
		r.countMissing(batch, p, member)
	}
}

// countMissing takes a list as proof that a participant left, or as half of it.
func (r *Roster) countMissing(batch *draft, p Poll, member *Member) {
	member.Missing++
	batch.touch(member)
	if member.Missing < rowNeeded(p) {
		return
	}
	before := member.Participant
	notBefore := member.leftAfter()
	member.Removed = p.Began
	member.Missing, member.HeldFrom, member.Mark = 0, time.Time{}, nil
	member.Since = p.List.Began
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

// leftAfter is the time after which a participant who is missing now left.
func (m *Member) leftAfter() time.Time {
	switch {
	case !m.HeldFrom.IsZero():
		return m.HeldFrom
	case m.Missing > 1:
		return m.ShownAt
	default:
		return m.Heard
	}
}
