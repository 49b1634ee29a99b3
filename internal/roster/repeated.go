package roster

import (
	"math"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Most items of a list repeat what the list before said. The rules for such an item change
// nothing but what follows from the marks (Proof), so that they need not be applied: that saves a copy
// of each member. applyItem is the definition: an item may be left out only if it would put
// nothing.

// isRepeated reports whether an item of a list needs not be applied to the member with its id;
// nil is none.
func (t *tracked) isRepeated(p *Poll, item *participant.Item) bool {
	return t != nil && t.settledFrom <= p.Began && participant.Repeats(item, &t.Participant) && t.continuesDuration(p, item)
}

// never is later than any list.
const never = math.MaxUint64

// settledFrom returns when the first list may begin that changes nothing of the member if it
// repeats what is known (W5).
func (m *Member) settledFrom() LogicalTime {
	if !m.settled() {
		return never
	}
	return m.Completed
}

// settled reports whether the member is present, was in the latest list, and waits for nothing.
func (m *Member) settled() bool {
	return m.Present && m.Proof == Listed && m.LastSeenAt.IsZero() &&
		m.MissedLists == 0 && m.PlaceholderSince.IsZero() && m.DeferredSince.IsZero() &&
		m.Pending == nil && m.MutedControl.Pending == nil && m.StatusControl.Pending == nil
}

// continuesDuration reports whether an item leaves the member's duration as it is predicted.
func (m *Member) continuesDuration(p *Poll, item *participant.Item) bool {
	if !item.Fields.Has(participant.FieldDuration) {
		return m.DurationAt.IsZero()
	}
	return m.predicts(p, item.Duration)
}

// predicts reports whether a duration in a list differs from what the member's state predicts by
// no more than the rounding and the list's own time explain.
func (m *Member) predicts(p *Poll, duration int32) bool {
	off := int64(duration) - int64(m.durationAt(p.List.Began))
	return max(off, -off) <= durationTolerance+int64(p.List.Ended.Sub(p.List.Began)/time.Second)
}
