package roster

import (
	"slices"
	"strings"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Change is the change of one participant: Before is nil if they joined the roster, After
// is nil if they left it.
type Change struct {
	Before, After *participant.Participant
	// ByWrite reports that the change comes from a write, not from a list.
	ByWrite bool
}

// Batch is the effect of one list or one write on the roster: a plain value. A copy of the
// roster can be kept up to date from batches alone.
type Batch struct {
	// Changes are the changes that watchers see. A batch without any can still change
	// Members.
	Changes []Change
	// Members are the new states of all members that changed, also in ways that watchers
	// do not see: pending writes, missed lists (W7), a first created_at.
	Members []Member
	// All Changes happened between NotBefore and NotAfter. NotBefore is zero if no list has
	// proved that a participant who joins now was absent before.
	NotBefore, NotAfter time.Time
	// Total and Active are the counts after the batch.
	Total, Active int
	// Complete reports that the batch comes from a list that contained everybody.
	Complete bool
	// LearnedSurplus is the surplus that the roster learned from this list (W7); 0 if none.
	LearnedSurplus int
}

// Empty reports whether the batch changed nothing, visible or not.
func (b Batch) Empty() bool { return len(b.Members) == 0 }

// batchBuilder collects the effects of one list or one write.
type batchBuilder struct {
	Batch

	changed map[string]bool
}

func newBatch(notAfter time.Time) *batchBuilder {
	return &batchBuilder{Batch: Batch{NotAfter: notAfter}, changed: map[string]bool{}}
}

// markChanged adds the member to Members, visible or not.
func (b *batchBuilder) markChanged(member *Member) { b.changed[member.Participant.ID] = true }

// addChange adds a visible change that happened after notBefore.
func (b *batchBuilder) addChange(member *Member, c Change, notBefore time.Time) {
	b.markChanged(member)
	if len(b.Changes) == 0 || notBefore.Before(b.NotBefore) {
		b.NotBefore = notBefore
	}
	b.Changes = append(b.Changes, c)
}

// addUpdate adds the change of a participant who stays present. It copies both values
// here, so that a list without changes allocates nothing.
func (b *batchBuilder) addUpdate(member *Member, after participant.Participant, notBefore time.Time) {
	before := member.Participant
	b.addChange(member, Change{Before: &before, After: &after}, notBefore)
}

func (b *batchBuilder) build(r *Roster) Batch {
	for id := range b.changed {
		if member, kept := r.members[id]; kept {
			b.Members = append(b.Members, member.clone())
		}
	}
	slices.SortFunc(b.Members, func(a, b Member) int { return strings.Compare(a.Participant.ID, b.Participant.ID) })
	if len(b.Changes) == 0 {
		b.NotBefore, b.NotAfter = time.Time{}, time.Time{}
	}
	b.Total, b.Active = r.total, r.active
	return b.Batch
}
