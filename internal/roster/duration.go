package roster

import (
	"math"
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// shownDuration returns the participant's duration as of the latest list.
func (t *tracked) shownDuration(marks Marks) int32 {
	if t.durationList == marks.LastList && t.durationList != 0 {
		return t.duration
	}
	return t.durationAt(marks.LastListAt)
}

// durationAt returns the duration that the member's state predicts for a time (W9).
func (m *Member) durationAt(at time.Time) int32 {
	ticked := int64(0)
	if !m.DurationAt.IsZero() {
		ticked = max(0, int64(at.Sub(m.DurationAt)/time.Second))
	}
	return int32(min(int64(m.Participant.Duration)+ticked, math.MaxInt32))
}

// takeDurations takes the durations of the list that this roster has planned, and its order. They
// tick with each list, so batches do not contain them (W9). It comes before the marks are replaced.
func (r *Roster) takeDurations(b Batch) {
	if b.items == nil {
		return
	}
	// The index that find reads is written after it.
	order := slices.Grow(r.listed[:0], len(b.items))
	for i := range b.items {
		item := &b.items[i]
		member := r.find(i, item.ID)
		if member == nil {
			order = append(order, listed{})
			continue
		}
		order = append(order, listed{item.ID, member})
		if member.Proof != Listed {
			continue
		}
		member.duration = member.shownDuration(r.marks)
		if item.Fields.Has(participant.FieldDuration) {
			member.duration = item.Duration
		}
		member.durationList = b.Marks.LastList
	}
	r.listed = order
}

// expectDuration sets whether the duration is expected to tick, after the status has changed.
func (m *Member) expectDuration(after participant.Status, at time.Time) {
	m.DurationAt = time.Time{}
	if after == participant.StatusConnected {
		m.DurationAt = at
	}
}

// startDuration makes a duration that ticks start with the latest list. Without that list it
// stands still.
func (m *Member) startDuration(marks Marks) {
	switch {
	case m.Proof != Listed:
		m.DurationAt = time.Time{}
	case !m.DurationAt.IsZero():
		m.DurationAt = marks.LastListAt
	}
}

// durationTolerance is by how many seconds a duration may differ from what the member's state
// predicts: whole seconds were cut off twice.
const durationTolerance = 2

// correctDuration starts the duration anew if an item differs from what the member's state
// predicts. It then stands still if it has not changed.
func (b *plan) correctDuration(p Poll, m *Member, item participant.Item) {
	stored := &b.roster.members[m.Participant.ID].Member
	if stored.predicts(&p, item.Duration) {
		return
	}
	m.Participant.Duration, m.DurationAt = item.Duration, time.Time{}
	if item.Duration != stored.Participant.Duration {
		m.DurationAt = p.List.Began
	}
}
