package roster

import "github.com/audian/participant-gateway/internal/participant"

// applyItem applies one item of a list.
func (r *Roster) applyItem(batch *batchBuilder, p Poll, item participant.Item) {
	member := r.member(item.ID)
	switch {
	case p.predatesWrite(member):
		return
	case member.tombstoned():
		r.applyToTombstone(batch, p, member, item)
	case member.Present:
		r.updatePresent(batch, p, member, item)
	default:
		r.join(batch, p, member, item)
	}
	member.LastSeenAt = p.List.Began
}

// recordListed records that a list was applied that contained the participant.
func (m *Member) recordListed(p Poll) {
	m.LastListed, m.LastListedAt, m.EvidenceAt = p.Applied, p.List.Began, p.List.Began
	m.resetAbsence()
}

// updatePresent merges an item into a participant who is present (W8, W9).
func (r *Roster) updatePresent(batch *batchBuilder, p Poll, member *Member, item participant.Item) {
	if member.Pending.recordCallEnd(item) || member.hasAbsence() {
		batch.markChanged(member)
	}
	item, deferredSince := member.withoutControlled(batch, p, item)
	notBefore, after := earlier(deferredSince, member.EvidenceAt), r.merge(member.Participant, item)
	member.recordListed(p)
	changed := participant.Changed(member.Participant, after)
	member.recordChanged(p, changed)
	switch {
	case changed != 0:
		batch.addUpdate(member, after, notBefore)
	case !member.Participant.CreatedAt.Equal(after.CreatedAt):
		batch.markChanged(member)
	}
	r.set(member, after, true, p.List.Began)
}

// join adds a participant to the roster. If they were present before, fields that the item
// does not contain keep their values (W8).
func (r *Roster) join(batch *batchBuilder, p Poll, member *Member, item participant.Item) {
	if member.tombstoned() {
		member.Pending = nil
	}
	member.Pending.recordCallEnd(item)
	notBefore, after := member.changedAfter(), r.merge(member.Participant, item)
	member.recordListed(p)
	r.set(member, after, true, p.List.Began)
	batch.addChange(member, Change{After: &after}, notBefore)
}

// applyToTombstone applies an item to a participant that was removed by a Remove. The status
// disconnected or rejected confirms the Remove. Any other status is lag within the window;
// after the window it proves that the participant is present (W6).
func (r *Roster) applyToTombstone(batch *batchBuilder, p Poll, member *Member, item participant.Item) {
	after := r.merge(member.Participant, item)
	switch {
	case after.Status.Ended():
		if member.hasAbsence() || member.Participant.Status != after.Status {
			batch.markChanged(member)
		}
		member.recordListed(p)
		member.Participant = after
	case member.Pending.windowEnded(p):
		r.join(batch, p, member, item)
	case member.DeferredSince.IsZero():
		member.DeferredSince = member.Pending.SentAt
		batch.markChanged(member)
	}
}

// merge returns known with the item's fields. The conference is the one that was
// requested, whatever the item contains.
func (r *Roster) merge(known participant.Participant, item participant.Item) participant.Participant {
	after := item.ApplyTo(known)
	after.ConferenceID = r.conference
	return after
}
