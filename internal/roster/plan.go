package roster

import (
	"slices"
	"strings"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// plan collects the effects of one list, write or control in a batch. The rules change copies
// of members; the roster does not change.
type plan struct {
	Batch

	roster  *Roster
	changed map[string]Member
}

func (r *Roster) newPlan(notAfter time.Time) *plan {
	return &plan{
		Batch:   Batch{NotAfter: notAfter, Marks: r.marks, Total: r.total, Active: r.active},
		roster:  r,
		changed: map[string]Member{},
	}
}

// advanceMarks takes a list into the marks, and finds out whether it is complete.
func (b *plan) advanceMarks(p Poll, missing []string) {
	before, marks := b.roster.marks, &b.Marks
	b.Complete = marks.Surplus.complete(p.List, func(since time.Time) bool {
		return b.roster.allListedSince(since, p, missing)
	})
	if marks.Surplus.Learned > before.Surplus.Learned {
		b.LearnedSurplus = marks.Surplus.Learned
	}
	marks.Known, marks.LastList, marks.LastListAt = true, p.Applied, p.List.Began
	if !b.Complete {
		return
	}
	marks.PlaceholderSince = p.placeholderSince(before.PlaceholderSince)
	if p.provesAbsence(marks.PlaceholderSince) || !before.Known {
		marks.AbsentAt = p.List.Began
	}
}

// member returns a copy of the member with an id, with explicit values; a new one if there is
// none. A plan calls it, and then put, at most once an id.
func (b *plan) member(id string) Member {
	if member, kept := b.roster.members[id]; kept {
		m := member.Member
		m.Participant.Duration = member.shownDuration(b.roster.marks)
		m.fromProof(b.roster.marks)
		return m
	}
	return Member{
		Participant: participant.Participant{ID: id, ConferenceID: b.roster.conference},
		EvidenceAt:  b.roster.marks.AbsentAt,
	}
}

// put adds a member to the batch, unless its state follows from the new marks alone.
func (b *plan) put(m *Member) {
	id, duration := m.Participant.ID, m.Participant.Duration
	m.toProof(b.Marks)
	if before, kept := b.roster.members[id]; kept {
		m.Participant.Duration = before.Participant.Duration
		if *m == before.Member {
			return
		}
		m.Participant.Duration = duration
	}
	m.startDuration(b.Marks)
	b.changed[id] = *m
}

// finish ends what the start of a list ends, and puts the member, or drops one that no response
// can still refer to.
func (b *plan) finish(p Poll, m *Member) {
	m.endAddWindow(p)
	if m.forgettable(p.List.Began) {
		b.Dropped = append(b.Dropped, m.Participant.ID)
		return
	}
	b.put(m)
}

// set replaces the member's participant and presence, and updates the counts.
func (b *plan) set(m *Member, after participant.Participant, present bool, at time.Time) {
	b.count(m, -1)
	wasInFlight := m.Present && m.Participant.Status.InFlight()
	if after.Status.InFlight() && !wasInFlight {
		m.InFlightSince = at
	}
	if m.Present != present || m.Participant.Status != after.Status {
		m.expectDuration(after.Status, at)
	}
	m.Participant, m.Present = after, present
	b.count(m, +1)
}

func (b *plan) count(m *Member, by int) {
	if !m.Present {
		return
	}
	b.Total += by
	if m.Participant.Status.Active() {
		b.Active += by
	}
}

// addChange adds a visible change that happened after notBefore.
func (b *plan) addChange(c Change, notBefore time.Time) {
	if len(b.Changes) == 0 || notBefore.Before(b.NotBefore) {
		b.NotBefore = notBefore
	}
	b.Changes = append(b.Changes, c)
}

// addUpdate adds the change of a participant who stays present. It takes copies, so that a
// list without changes allocates nothing.
func (b *plan) addUpdate(before, after participant.Participant, notBefore time.Time) {
	b.addChange(Change{Before: &before, After: &after}, notBefore)
}

func (b *plan) build() Batch {
	b.Members = slices.Grow(b.Members, len(b.changed))
	for _, member := range b.changed {
		b.Members = append(b.Members, member)
	}
	slices.SortFunc(b.Members, func(a, b Member) int { return strings.Compare(a.Participant.ID, b.Participant.ID) })
	slices.Sort(b.Dropped)
	if len(b.Changes) == 0 {
		b.NotBefore, b.NotAfter = time.Time{}, time.Time{}
	}
	return b.Batch
}
