package roster

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Member is everything that the roster keeps about one id: a participant who is present,
// one who was removed by a write, or one who left and whose late responses may still arrive.
type Member struct {
	// Participant has the duration as of DurationAt.
	Participant participant.Participant `json:"p"`
	// Present reports that the participant is in the roster.
	Present bool `json:"o"`
	// InFlightSince is when the participant became pending or dialing.
	InFlightSince time.Time `json:"if"`
	// DurationAt is when the list began that the duration is from, if it has ticked since;
	// zero if it stands still. A roster that read later lists itself shows their durations.
	DurationAt time.Time `json:"da"`

	// Proof is why some of the next fields, up to LastSeenAt, follow from the marks. Those
	// fields are zero in a batch.
	Proof Proof `json:"e"`
	// EvidenceAt is when the last list began that was applied to this participant, or, if
	// there was none, when the first write was sent. A change that arrives now happened
	// after it.
	EvidenceAt time.Time `json:"ea"`
	// LastListed is when the last list that contained this id was applied, and
	// LastListedAt when that list began.
	LastListed   LogicalTime `json:"l"`
	LastListedAt time.Time   `json:"la"`
	// LastSeenAt is when a list or a write last contained this id. forgettable uses it.
	LastSeenAt time.Time `json:"ls"`

	// RemovedByList is when the list began that last removed this id.
	RemovedByList LogicalTime `json:"rl"`
	// Completed is when the last write of this id completed, and RemoveCompleted when
	// the last Remove did.
	Completed       LogicalTime `json:"c"`
	RemoveCompleted LogicalTime `json:"rc"`

	// MissedLists is how many consecutive complete lists did not contain the
	// participant (W7).
	MissedLists int `json:"ml"`
	// PlaceholderSince is when the first of consecutive placeholder lists began (W7); zero
	// if the last list was no placeholder.
	PlaceholderSince time.Time `json:"ps"`
	// DeferredSince is when the write was sent whose lag (W6) still defers what lists
	// report; zero if a list has confirmed the write.
	DeferredSince time.Time `json:"ds"`
	// Pending is the latest write, as long as it affects how lists are applied. A change
	// replaces it: batches share it.
	Pending *PendingWrite `json:"w"`
	// MutedControl and StatusControl are about the fields that controls change (A8).
	MutedControl  ControlledField `json:"mc"`
	StatusControl ControlledField `json:"sc"`
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

// missingFrom returns the kept ids that a list does not contain, sorted, so that equal
// lists give equal batches. It notes in each member which list it has looked at last, which has
// no effect on any plan.
func (r *Roster) missingFrom(items []participant.Item) []string {
	if r.containedIn(items) {
		return nil
	}
	r.lists++
	for i := range items {
		if t := r.find(i, items[i].ID); t != nil {
			t.list = r.lists
		}
	}
	return r.sortedIDs(func(t *tracked) bool { return t.list != r.lists })
}

// containedIn reports whether a list contains all kept ids. Each id occurs once in a list.
func (r *Roster) containedIn(items []participant.Item) bool {
	contained := 0
	for i := range items {
		if r.find(i, items[i].ID) != nil {
			contained++
		}
	}
	return contained == len(r.members)
}

const (
	// retention is how long an id that left is kept, so that a late response is recognised
	// as late (W5): longer than an Add can last, 75 s of sending and 10 s of reconciling.
	retention = 2 * time.Minute
	// removedRetention is how long an id removed by a write is kept that no list contains
	// while no list is complete, so that removed ids do not accumulate (W12).
	removedRetention = 10 * time.Minute
)

// forgettable reports whether no response can still refer to the id.
func (m *Member) forgettable(now time.Time) bool {
	return !m.Present && now.Sub(m.LastSeenAt) > m.retention()
}

func (m *Member) retention() time.Duration {
	if m.tombstoned() {
		return removedRetention
	}
	return retention
}
