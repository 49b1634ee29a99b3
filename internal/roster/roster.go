// Package roster folds a conference's lists and writes into a roster and says what
// each of them changed.
//
// It is pure: no goroutine, no lock, no clock. Order comes from the stamps of its
// caller's counter (W5), time from the lists and writes themselves.
package roster

import (
	"slices"
	"strings"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// LogicalTime is a moment on the feed's own counter. What began and completed is ordered
// by stamps and never by clocks.
type LogicalTime uint64

// Poll is one list, and when it began and was applied.
type Poll struct {
	List    participant.List
	Began   LogicalTime
	Applied LogicalTime
}

// Write is one write, and when it was sent and completed.
type Write struct {
	participant.Write

	Sent, Done     LogicalTime
	SentAt, DoneAt time.Time
}

// Change is what happened to one participant: Before is nil where they joined the
// roster, After is nil where they left it.
type Change struct {
	Before, After *participant.Participant
	// ByWrite says that a write told, and no list.
	ByWrite bool
}

// Batch is what one list or one write did to the roster: a plain value, from which
// a copy of the roster can be kept up to date.
type Batch struct {
	// Changes are what watchers see. Empty does not mean that nothing happened.
	Changes []Change
	// Members are the new states of all that changed, unseen changes included: the
	// pending writes, the rows of W7, a first created_at.
	Members []Member
	// All Changes happened between these. NotBefore is zero where no list has proved
	// that somebody who joins now was absent before.
	NotBefore, NotAfter time.Time
	// Total and Active are of the roster after the batch.
	Total, Active int
	// Complete reports that the batch is of a list that contained everybody.
	Complete bool
	// LearnedSurplus is the number that this list proved to be the upstream's way of
	// counting (W7); 0 where it proved none.
	LearnedSurplus int
}

// Empty says that the batch changed nothing, seen or unseen.
func (b Batch) Empty() bool { return len(b.Members) == 0 }

// Roster is the people of one conference as the gateway holds them.
type Roster struct {
	conference string
	members    map[string]*Member
	known      bool
	// observedAt is when the last list that was applied began.
	observedAt time.Time
	// unknown holds what lists have proved about every id that is not kept: its absence.
	unknown       Member
	surplus       surplus
	total, active int
	// ids are the sorted ids of those listed; nil when to be made anew.
	ids []string
}

// New returns the empty roster of a conference, not known yet.
func New(conference string) *Roster {
	return &Roster{conference: conference, members: map[string]*Member{}}
}

// Known reports whether a list was applied.
func (r *Roster) Known() bool { return r.known }

// ObservedAt is when the last list that was applied began; zero where none was.
func (r *Roster) ObservedAt() time.Time { return r.observedAt }

// Poll applies a list. One that is incomplete still proves who is there, but not who is
// absent (W7).
func (r *Roster) ApplyPoll(p Poll) Batch {
	batch := r.begin(p.List.Ended)
	shown := make(map[string]bool, len(p.List.Items))
	for _, item := range p.List.Items {
		shown[item.ID] = true
		r.show(batch, p, item)
	}
	learnedBefore := r.surplus.learned
	batch.Complete = r.surplus.complete(p.List, r.shownSince)
	if r.surplus.learned > learnedBefore {
		batch.LearnedSurplus = r.surplus.learned
	}
	if batch.Complete {
		r.applyAbsence(batch, p, shown)
	}
	r.endWindows(batch, p)
	r.forget(p.List.Began)
	if !r.known {
		// Nobody holds anything yet: the first list is the base of all snapshots and
		// changes nothing for anybody.
		batch.Changes = nil
	}
	r.known, r.observedAt = true, p.List.Began
	return batch.end(r)
}

// applyAbsence applies a complete list to everybody whom it did not show.
func (r *Roster) applyAbsence(batch *draft, p Poll, shown map[string]bool) {
	for _, id := range r.absent(shown) {
		r.recordAbsence(batch, p, r.members[id])
	}
	if r.unknown.provesAbsence(p) || !r.known {
		r.unknown.EvidenceAt = p.List.Began
	}
}

// Write applies a write that the upstream answered with success.
func (r *Roster) ApplyWrite(w Write) Batch {
	batch := r.begin(w.DoneAt)
	member := r.member(w.Item.ID)
	member.completed(w)
	batch.touch(member)
	switch w.Kind {
	case participant.WriteAdd:
		r.add(batch, w, member)
	case participant.WriteRemove:
		r.remove(batch, w, member)
	}
	return batch.end(r)
}

// Participants are those listed, sorted by id.
func (r *Roster) Participants() []participant.Participant {
	if r.ids == nil {
		r.ids = make([]string, 0, r.total)
		for id, member := range r.members {
			if member.Listed {
				r.ids = append(r.ids, id)
			}
		}
		slices.Sort(r.ids)
	}
	listed := make([]participant.Participant, len(r.ids))
	for i, id := range r.ids {
		listed[i] = r.members[id].Participant
	}
	return listed
}

// Counts are how many are listed, and how many of them are connected or held.
func (r *Roster) Counts() (total, active int) { return r.total, r.active }

// IDs are all ids that are kept: those listed, and those gone of late.
func (r *Roster) IDs() map[string]bool {
	ids := make(map[string]bool, len(r.members))
	for id := range r.members {
		ids[id] = true
	}
	return ids
}

// InFlight says whether any call is being set up at a time: pending or dialing, and
// not for longer than a call takes (W15).
func (r *Roster) InFlight(at time.Time) bool {
	for _, member := range r.members {
		if member.Listed && member.Participant.Status.InFlight() && at.Sub(member.InFlightSince) < inFlightFor {
			return true
		}
	}
	return false
}

// inFlightFor is how long a pending or dialing participant is polled for at the base
// interval: the upstream gives up after 60 s, with some room.
const inFlightFor = 90 * time.Second

// draft is a batch being made.
type draft struct {
	Batch

	touched map[string]bool
}

func (r *Roster) begin(notAfter time.Time) *draft {
	return &draft{Batch: Batch{NotAfter: notAfter}, touched: map[string]bool{}}
}

// touch notes that a member's state is another now, to be told with the batch.
func (d *draft) touch(member *Member) { d.touched[member.Participant.ID] = true }

// change notes a change that watchers see, and that happened after notBefore.
func (d *draft) change(member *Member, c Change, notBefore time.Time) {
	d.touch(member)
	if len(d.Changes) == 0 || notBefore.Before(d.NotBefore) {
		d.NotBefore = notBefore
	}
	d.Changes = append(d.Changes, c)
}

// update notes that a list changed a listed participant. It takes copies: most lists
// change few, and the others need none.
func (d *draft) update(member *Member, after participant.Participant, notBefore time.Time) {
	before := member.Participant
	d.change(member, Change{Before: &before, After: &after}, notBefore)
}

func (d *draft) end(r *Roster) Batch {
	for id := range d.touched {
		if member, kept := r.members[id]; kept {
			d.Members = append(d.Members, member.state())
		}
	}
	slices.SortFunc(d.Members, func(a, b Member) int { return strings.Compare(a.Participant.ID, b.Participant.ID) })
	if len(d.Changes) == 0 {
		d.NotBefore, d.NotAfter = time.Time{}, time.Time{}
	}
	d.Total, d.Active = r.total, r.active
	return d.Batch
}

// set makes after the member's participant, listed or not, and keeps the counts.
func (r *Roster) set(member *Member, after participant.Participant, listed bool, at time.Time) {
	r.count(member, -1)
	wasInFlight := member.Listed && member.Participant.Status.InFlight()
	if after.Status.InFlight() && !wasInFlight {
		member.InFlightSince = at
	}
	if member.Listed != listed {
		r.ids = nil
	}
	member.Participant, member.Listed = after, listed
	r.count(member, +1)
}

func (r *Roster) count(member *Member, by int) {
	if !member.Listed {
		return
	}
	r.total += by
	if member.Participant.Status.Active() {
		r.active += by
	}
}
