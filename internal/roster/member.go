package roster

import (
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Member is all that the roster keeps of one id: a participant listed, one that a
// Remove keeps out, or one who is gone but whose late answers may still arrive.
type Member struct {
	Participant participant.Participant
	// Listed says that the participant is in the roster.
	Listed bool
	// InFlightSince is when the participant became pending or dialing.
	InFlightSince time.Time

	// Heard is when the last thing began that told of this participant: a list that
	// counted, or a write. A change that comes now happened after it.
	Heard time.Time
	// Shown is when the last list that showed this id was applied, and ShownAt when
	// that list began.
	Shown   Stamp
	ShownAt time.Time
	// Removed is when the list began that last REMOVED this id.
	Removed Stamp
	// Completed is when the last write of this id completed, and RemoveDone when the
	// last Remove did.
	Completed  Stamp
	RemoveDone Stamp

	// Missing is how many complete lists in a row lacked the participant (W7).
	Missing int
	// HeldFrom is when the write was sent whose window (W6) held an absence back;
	// zero where none is.
	HeldFrom time.Time
	// Mark is the write that governs; nil where none does.
	Mark *Mark
	// Since is when this id was last listed, for forgetting it later.
	Since time.Time
}

// member is what is kept of an id, made where nothing is.
func (r *Roster) member(id string) *Member {
	member, kept := r.members[id]
	if !kept {
		member = &Member{Participant: participant.Participant{ID: id, ConferenceID: r.conference}}
		r.members[id] = member
	}
	return member
}

// state is a copy that later lists do not change.
func (m *Member) state() Member {
	state := *m
	if m.Mark != nil {
		mark := *m.Mark
		state.Mark = &mark
	}
	return state
}

// absent are the kept ids that a list did not show, sorted, so that equal lists give
// equal batches.
func (r *Roster) absent(shown map[string]bool) []string {
	var absent []string
	for id := range r.members {
		if !shown[id] {
			absent = append(absent, id)
		}
	}
	slices.Sort(absent)
	return absent
}

// rememberFor is how long an id that is gone is kept, so that an answer that was
// long under way finds out that it came too late (W5): longer than an Add can last,
// 75 s of sending and 10 s of reconciling.
const rememberFor = 2 * time.Minute

// forget drops the ids that no answer can still be about.
func (r *Roster) forget(now time.Time) {
	for id, member := range r.members {
		if !member.Listed && member.Mark == nil && now.Sub(member.Since) > rememberFor {
			delete(r.members, id)
		}
	}
}
