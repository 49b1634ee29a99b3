package roster

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// applyItem applies one item of a list.
func (b *plan) applyItem(p Poll, item participant.Item) {
	member := b.member(item.ID)
	switch {
	case p.predatesWrite(&member):
	case member.tombstoned():
		b.applyToTombstone(p, &member, item)
	case member.Present:
		b.updatePresent(p, &member, item)
	default:
		b.join(p, &member, item)
	}
	b.finish(p, &member)
}

// recordListed records that a list was applied that contained the participant. A duration that
// the item does not contain stands still (W8).
func (m *Member) recordListed(p Poll, item participant.Item) {
	m.LastListed, m.LastListedAt, m.EvidenceAt, m.LastSeenAt = p.Applied, p.List.Began, p.List.Began, p.List.Began
	m.resetAbsence()
	if !item.Fields.Has(participant.FieldDuration) {
		m.DurationAt = time.Time{}
	}
}

// updatePresent merges an item into a participant who is present (W8, W9).
func (b *plan) updatePresent(p Poll, member *Member, item participant.Item) {
	member.recordCallEnd(item)
	item, deferredSince := member.withoutControlled(p, item)
	notBefore, after := earlier(deferredSince, member.EvidenceAt), b.merge(member.Participant, item)
	changed := participant.Changed(member.Participant, after)
	member.recordChanged(p, changed)
	switch {
	case changed != 0:
		b.addUpdate(member.Participant, after, notBefore)
		b.set(member, after, true, p.List.Began)
	case !member.Participant.CreatedAt.Equal(after.CreatedAt):
		b.set(member, after, true, p.List.Began)
	case item.Fields.Has(participant.FieldDuration):
		b.correctDuration(p, member, item)
	}
	member.recordListed(p, item)
}

// join adds a participant to the roster. If they were present before, fields that the item
// does not contain, or for which it does not count (A8), keep their values (W8).
func (b *plan) join(p Poll, member *Member, item participant.Item) {
	if member.tombstoned() {
		member.Pending = nil
	}
	member.recordCallEnd(item)
	item, _ = member.withoutControlled(p, item)
	notBefore, after := member.changedAfter(), b.merge(member.Participant, item)
	b.set(member, after, true, p.List.Began)
	member.recordListed(p, item)
	b.addChange(Change{After: &after}, notBefore)
}

// applyToTombstone applies an item to a participant that was removed by a Remove. The status
// disconnected or rejected confirms the Remove. Any other status is lag within the window;
// after the window it proves that the participant is present (W6).
func (b *plan) applyToTombstone(p Poll, member *Member, item participant.Item) {
	before, after := member.Participant, b.merge(member.Participant, item)
	switch {
	case after.Status.Ended():
		member.recordListed(p, item)
		if participant.Changed(before, after) != 0 || !before.CreatedAt.Equal(after.CreatedAt) {
			member.Participant = after
		}
	case member.Pending.windowEnded(p):
		b.join(p, member, item)
	case member.DeferredSince.IsZero():
		member.DeferredSince = member.Pending.SentAt
	}
}

// merge returns known with the item's fields. The conference is the one that was
// requested, whatever the item contains.
func (b *plan) merge(known participant.Participant, item participant.Item) participant.Participant {
	after := item.ApplyTo(known)
	after.ConferenceID = b.roster.conference
	return after
}
