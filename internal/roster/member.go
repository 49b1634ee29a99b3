package roster

import (
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Member is all that the roster keeps of one id: a participant listed, one that a
// Remove keeps out, or one who left but whose late answers may still arrive.
type Member struct {
	Participant participant.Participant
	// Listed reports that the participant is in the roster.
	Listed bool
	// InFlightSince is when the participant became pending or dialing.
	InFlightSince time.Time

	// EvidenceAt is when the last list began that was applied to this participant, or
	// the first write was sent where no list was; zero where neither was. A change that
	// comes now happened after it.
	EvidenceAt time.Time
	// LastShown is when the last list that showed this id was applied, and LastShownAt
	// when that list began.
	LastShown   LogicalTime
	LastShownAt time.Time
	// RemovedByList is when the list began that last removed this id.
	RemovedByList LogicalTime
	// Completed is when the last write of this id completed, and RemoveCompleted when
	// the last Remove did.
	Completed       LogicalTime
	RemoveCompleted LogicalTime

	// MissedLists is how many complete lists in a row lacked the participant (W7).
	MissedLists int
	// EmptySince is when the first placeholder in a row began (W7); zero where the last
	// list was none.
	EmptySince time.Time
	// DeferredSince is when the write was sent whose window (W6) no list has agreed with
	// since; zero where one has.
	DeferredSince time.Time
	// Pending is the write that governs; nil where none does.
	Pending *PendingWrite
	// LastSeenAt is when a list or a write last named this id, for forgetting it later.
	LastSeenAt time.Time
}

// changedAfter is the time after which a participant changed who joins or leaves now.
func (m *Member) changedAfter() time.Time {
	if !m.DeferredSince.IsZero() {
		return m.DeferredSince
	}
	return m.EvidenceAt
}

// resetAbsence ends all rows of lists without the participant.
func (m *Member) resetAbsence() {
	m.MissedLists, m.EmptySince, m.DeferredSince = 0, time.Time{}, time.Time{}
}

// missed reports whether lists have lacked the participant.
func (m *Member) missed() bool {
	return m.MissedLists != 0 || !m.EmptySince.IsZero() || !m.DeferredSince.IsZero()
}

// member is what is kept of an id, made where nothing is.
func (r *Roster) member(id string) *Member {
	member, kept := r.members[id]
	if !kept {
		member = &Member{
			Participant: participant.Participant{ID: id, ConferenceID: r.conference},
			EvidenceAt:  r.unknown.EvidenceAt,
		}
		r.members[id] = member
	}
	return member
}

// state is a copy that later lists do not change.
func (m *Member) state() Member {
	state := *m
	if m.Pending != nil {
		pending := *m.Pending
		state.Pending = &pending
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

const (
	// rememberFor is how long an id that left is kept, so that an answer that was long
	// under way is found to be too late (W5): longer than an Add can last, 75 s of
	// sending and 10 s of reconciling.
	rememberFor = 2 * time.Minute
	// rememberRemovedFor is how long a removed id is kept that no list shows, where no
	// list is complete, so that removed ids do not pile up (W12).
	rememberRemovedFor = 10 * time.Minute
)

// forget drops the ids that no answer can still be about.
func (r *Roster) forget(now time.Time) {
	for id, member := range r.members {
		if !member.Listed && now.Sub(member.LastSeenAt) > member.rememberedFor() {
			delete(r.members, id)
		}
	}
}

func (m *Member) rememberedFor() time.Duration {
	if m.tombstoned() {
		return rememberRemovedFor
	}
	return rememberFor
}
