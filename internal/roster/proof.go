package roster

import (
	"slices"
	"time"
)

// Proof is what the roster's marks prove about a member, so that a list which says the same
// about everybody as the one before changes the marks alone.
type Proof uint8

// The kinds of proof. Without proof a member has values of its own: the latest list said
// nothing about it, or was too little to count.
const (
	NoProof Proof = iota
	// Listed: the latest list contained the participant, and counted. It is their last list,
	// their evidence, and, unless there is a value, when they were last seen.
	Listed
	// Absent: Marks.AbsentAt is their evidence.
	Absent
)

// fromProof replaces the proof by the values that follow from the marks.
func (m *Member) fromProof(marks Marks) {
	switch m.Proof {
	case Listed:
		m.LastListed, m.LastListedAt, m.EvidenceAt = marks.LastList, marks.LastListAt, marks.LastListAt
		if m.LastSeenAt.IsZero() {
			m.LastSeenAt = marks.LastListAt
		}
	case Absent:
		m.EvidenceAt = marks.AbsentAt
	case NoProof:
	}
	m.Proof = NoProof
}

// toProof replaces the values that follow from the marks by a proof.
func (m *Member) toProof(marks Marks) {
	switch {
	case m.LastListed == marks.LastList && marks.Known && m.EvidenceAt.Equal(marks.LastListAt):
		m.Proof, m.LastListed, m.LastListedAt, m.EvidenceAt = Listed, 0, time.Time{}, time.Time{}
		if m.LastSeenAt.Equal(marks.LastListAt) {
			m.LastSeenAt = time.Time{}
		}
	case !m.EvidenceAt.IsZero() && m.EvidenceAt.Equal(marks.AbsentAt):
		m.Proof, m.EvidenceAt = Absent, time.Time{}
	}
}

// allListedSince reports whether lists begun since a time, with this one, have contained
// everybody present.
func (r *Roster) allListedSince(since time.Time, p Poll, missing []string) bool {
	for id, member := range r.members {
		_, unlisted := slices.BinarySearch(missing, id)
		unlisted = unlisted || p.predatesWrite(&member.Member)
		if member.Present && unlisted && member.lastListedAt(r.marks).Before(since) {
			return false
		}
	}
	return true
}

func (m *Member) lastListedAt(marks Marks) time.Time {
	if m.Proof == Listed {
		return marks.LastListAt
	}
	return m.LastListedAt
}
