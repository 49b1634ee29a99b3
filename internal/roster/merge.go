package roster

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// show applies one item of a list.
func (r *Roster) show(batch *draft, p Poll, item participant.Item) {
	member := r.member(item.ID)
	if member.silenced(p) {
		return
	}
	member.Shown, member.ShownAt = p.Applied, p.List.Began
	switch {
	case member.keptOut():
		r.showKeptOut(batch, p, member, item)
	case member.Listed:
		r.showListed(batch, p, member, item)
	default:
		r.join(batch, p, member, item, r.began)
	}
	member.Heard, member.Since = p.List.Began, p.List.Began
}

// showListed merges what an item tells into a listed participant (W8, W9).
func (r *Roster) showListed(batch *draft, p Poll, member *Member, item participant.Item) {
	if member.Mark.seesOver(item) {
		member.Mark.OverSeen = true
		batch.touch(member)
	}
	if member.Missing != 0 || !member.HeldFrom.IsZero() {
		member.Missing, member.HeldFrom = 0, time.Time{}
		batch.touch(member)
	}
	after := r.merge(member.Participant, item)
	switch {
	case participant.Changed(member.Participant, after) != 0:
		batch.update(member, after, member.Heard)
	case !member.Participant.CreatedAt.Equal(after.CreatedAt):
		batch.touch(member)
	}
	r.set(member, after, true, p.List.Began)
}

// join lists somebody whom the roster does not hold. Of one who was there before, what
// the item does not tell is as it was known (W8).
func (r *Roster) join(batch *draft, p Poll, member *Member, item participant.Item, notBefore time.Time) {
	after := r.merge(member.Participant, item)
	member.Missing, member.HeldFrom, member.Mark = 0, time.Time{}, nil
	r.set(member, after, true, p.List.Began)
	batch.change(member, Change{After: &after}, notBefore)
}

// merge is what an item makes of a participant known before. The conference is the
// one that was asked for, whatever the item says.
func (r *Roster) merge(known participant.Participant, item participant.Item) participant.Participant {
	after := item.Over(known)
	after.ConferenceID = r.conference
	return after
}
