package roster

import "github.com/audian/participant-gateway/internal/participant"

// show applies one item of a list.
func (r *Roster) show(batch *draft, p Poll, item participant.Item) {
	member := r.member(item.ID)
	switch {
	case member.predatesWrite(p):
		return
	case member.tombstoned():
		r.showTombstoned(batch, p, member, item)
	case member.Listed:
		r.showListed(batch, p, member, item)
	default:
		r.join(batch, p, member, item)
	}
	member.LastSeenAt = p.List.Began
}

// shownBy notes that a list was applied to a participant whom it showed.
func (m *Member) shownBy(p Poll) {
	m.LastShown, m.LastShownAt, m.EvidenceAt = p.Applied, p.List.Began, p.List.Began
	m.resetAbsence()
}

// showListed merges what an item contains into a listed participant (W8, W9).
func (r *Roster) showListed(batch *draft, p Poll, member *Member, item participant.Item) {
	if member.Pending.seesCallOver(item) || member.missed() {
		batch.touch(member)
	}
	evidenceAt, after := member.EvidenceAt, r.merge(member.Participant, item)
	member.shownBy(p)
	switch {
	case participant.Changed(member.Participant, after) != 0:
		batch.update(member, after, evidenceAt)
	case !member.Participant.CreatedAt.Equal(after.CreatedAt):
		batch.touch(member)
	}
	r.set(member, after, true, p.List.Began)
}

// join lists somebody whom the roster does not hold. Of one who was there before, what
// the item does not contain is as it was known (W8).
func (r *Roster) join(batch *draft, p Poll, member *Member, item participant.Item) {
	if member.tombstoned() {
		member.Pending = nil
	}
	member.Pending.seesCallOver(item)
	notBefore, after := member.changedAfter(), r.merge(member.Participant, item)
	member.shownBy(p)
	r.set(member, after, true, p.List.Began)
	batch.change(member, Change{After: &after}, notBefore)
}

// showTombstoned reads an item in the light of a Remove: disconnected or rejected
// confirms the Remove; within the window another status is lag; after it that status
// proves that the participant is there after all (W6).
func (r *Roster) showTombstoned(batch *draft, p Poll, member *Member, item participant.Item) {
	after := r.merge(member.Participant, item)
	switch {
	case after.Status.Ended():
		if member.missed() || member.Participant.Status != after.Status {
			batch.touch(member)
		}
		member.shownBy(p)
		member.Participant = after
	case member.Pending.windowOver(p):
		r.join(batch, p, member, item)
	case member.DeferredSince.IsZero():
		member.DeferredSince = member.Pending.SentAt
		batch.touch(member)
	}
}

// merge is what an item makes of a participant known before. The conference is the
// one that was asked for, whatever the item contains.
func (r *Roster) merge(known participant.Participant, item participant.Item) participant.Participant {
	after := item.ApplyTo(known)
	after.ConferenceID = r.conference
	return after
}
