package roster

import (
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Member is everything that the roster keeps about one id: a participant who is present,
// one who was removed by a write, or one who left and whose late responses may still arrive.
type Member struct {
	Participant participant.Participant
	// Present reports that the participant is in the roster.
	Present bool
	// InFlightSince is when the participant became pending or dialing.
	InFlightSince time.Time

	// EvidenceAt is when the last list began that was applied to this participant, or, if
	// there was none, when the first write was sent. A change that arrives now happened
	// after it.
	EvidenceAt time.Time
	// LastListed is when the last list that contained this id was applied, and
	// LastListedAt when that list began.
	LastListed   LogicalTime
	LastListedAt time.Time
	// RemovedByList is when the list began that last removed this id.
	RemovedByList LogicalTime
	// Completed is when the last write of this id completed, and RemoveCompleted when
	// the last Remove did.
	Completed       LogicalTime
	RemoveCompleted LogicalTime

	// MissedLists is how many consecutive complete lists did not contain the
	// participant (W7).
	MissedLists int
	// PlaceholderSince is when the first of consecutive placeholder lists began (W7); zero
	// if the last list was no placeholder.
	PlaceholderSince time.Time
	// DeferredSince is when the write was sent whose lag (W6) still defers what lists
	// report; zero if a list has confirmed the write.
	DeferredSince time.Time
	// Pending is the latest write, as long as it affects how lists are applied.
	Pending *PendingWrite
	// MutedControl and StatusControl are about the fields that controls change (A8).
	MutedControl, StatusControl ControlledField
	// LastSeenAt is when a list or a write last contained this id. forget uses it.
	LastSeenAt time.Time
}

// changedAfter returns the time after which a participant joined or left who joins or
// leaves now.
func (m *Member) changedAfter() time.Time {
	if !m.DeferredSince.IsZero() {
		return m.DeferredSince
	}
	return m.EvidenceAt
}

// resetAbsence clears what lists without the participant have counted.
func (m *Member) resetAbsence() {
	m.MissedLists, m.PlaceholderSince, m.DeferredSince = 0, time.Time{}, time.Time{}
}

// hasAbsence reports whether lists without the participant have counted anything.
func (m *Member) hasAbsence() bool {
	return m.MissedLists != 0 || !m.PlaceholderSince.IsZero() || !m.DeferredSince.IsZero()
}

// member returns the member with an id, a new one if there is none.
func (r *Roster) member(id string) *Member {
	member, kept := r.members[id]
	if !kept {
		member = &Member{
			Participant: participant.Participant{ID: id, ConferenceID: r.conference},
			EvidenceAt:  r.untracked.EvidenceAt,
		}
		r.members[id] = member
	}
	return member
}

// clone returns a copy that later lists do not change.
func (m *Member) clone() Member {
	clone := *m
	if m.Pending != nil {
		pending := *m.Pending
		clone.Pending = &pending
	}
	for _, field := range controlledFields {
		if controlled := clone.controlled(field); controlled.Pending != nil {
			pending := *controlled.Pending
			controlled.Pending = &pending
		}
	}
	return clone
}

// missingFrom returns the kept ids that a list did not contain, sorted, so that equal
// lists give equal batches.
func (r *Roster) missingFrom(listed map[string]bool) []string {
	var missing []string
	for id := range r.members {
		if !listed[id] {
			missing = append(missing, id)
		}
	}
	slices.Sort(missing)
	return missing
}

const (
	// retention is how long an id that left is kept, so that a late response is recognised
	// as late (W5): longer than an Add can last, 75 s of sending and 10 s of reconciling.
	retention = 2 * time.Minute
	// removedRetention is how long an id removed by a write is kept that no list contains
	// while no list is complete, so that removed ids do not accumulate (W12).
	removedRetention = 10 * time.Minute
)

// forget drops the ids that no response can still refer to.
func (r *Roster) forget(now time.Time) {
	for id, member := range r.members {
		if !member.Present && now.Sub(member.LastSeenAt) > member.retention() {
			delete(r.members, id)
		}
	}
}

func (m *Member) retention() time.Duration {
	if m.tombstoned() {
		return removedRetention
	}
	return retention
}
