// Package roster keeps the roster of one conference. It plans what a list, a write or a
// control changes, as a Batch, and applies batches. Nothing else changes a roster: a copy to
// which the same batches are applied is equal, and plans the same.
//
// It is pure: no goroutine, no lock, no clock. The caller orders events by its logical
// clock (W5); times come from the lists and writes themselves.
package roster

import (
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// LogicalTime is a reading of the caller's logical clock. It orders the starts and ends of
// lists and writes; wall clocks never do.
type LogicalTime uint64

// Poll is one list, with the logical times at which it began and was applied.
type Poll struct {
	List    participant.List
	Began   LogicalTime
	Applied LogicalTime
}

// Write is one write, with the times at which it was sent and completed.
type Write struct {
	participant.Write

	Sent, Done     LogicalTime
	SentAt, DoneAt time.Time
}

// Roster is the gateway's view of who is in one conference.
type Roster struct {
	conference string
	// members has a pointer for each id, which is the same until the id is dropped.
	members map[string]*tracked
	marks   Marks
	// total counts the participants present, active and inFlight some of them.
	total, active, inFlight int
	// sorted are the participants present, sorted by id, and people how they are shown; nil if
	// one has changed since.
	sorted []*tracked
	people []*participant.Participant
	// listed are the members that the last list contained, in its order; nil if unknown.
	listed []listed
	// lists is the number of lists that were planned.
	lists uint64
}

// New returns the empty roster of a conference. It is not known yet.
func New(conference string) *Roster {
	return &Roster{conference: conference, members: map[string]*tracked{}}
}

// Known reports whether a list was applied.
func (r *Roster) Known() bool { return r.marks.Known }

// Marks returns what the roster knows besides its members.
func (r *Roster) Marks() Marks { return r.marks }

// ObservedAt returns when the last list that was applied began; zero if none was.
func (r *Roster) ObservedAt() time.Time { return r.marks.LastListAt }

// PlanPoll plans a list. An incomplete list proves who is present, but not who is
// absent (W7).
func (r *Roster) PlanPoll(p Poll) Batch {
	b := r.newPlan(p.List.Ended)
	missing := r.missingFrom(p.List.Items)
	b.advanceMarks(p, missing)
	for i := range p.List.Items {
		if item := &p.List.Items[i]; !r.find(i, item.ID).isRepeated(&p, item) {
			b.applyItem(p, *item)
		}
	}
	for _, id := range missing {
		b.applyMissing(p, id)
	}
	if !r.marks.Known {
		// The first list is the base of all snapshots: no client holds an earlier roster
		// that it could change.
		b.Changes = nil
	}
	b.items = p.List.Items
	return b.build()
}

// PlanWrite plans a write that the upstream answered with success.
func (r *Roster) PlanWrite(w Write) Batch {
	b := r.newPlan(w.DoneAt)
	member := b.member(w.Item.ID)
	member.recordCompleted(w)
	switch w.Kind {
	case participant.WriteAdd:
		b.applyAdd(w, &member)
	case participant.WriteRemove:
		b.applyRemove(w, &member)
	}
	b.put(&member)
	return b.build()
}

// Apply applies a batch that was planned on this roster, or on an equal one, as it is now.
func (r *Roster) Apply(b Batch) {
	for _, member := range b.Members {
		member.Participant.ConferenceID = r.conference
		r.put(member)
	}
	for _, id := range b.Dropped {
		r.drop(id)
	}
	r.takeDurations(b)
	r.marks = b.Marks
}

// Base returns a batch that makes an empty roster equal to this one.
func (r *Roster) Base() Batch {
	base := Batch{Marks: r.marks, Total: r.total, Active: r.active}
	for _, id := range r.sortedIDs(func(*tracked) bool { return true }) {
		base.Members = append(base.Members, r.members[id].Member)
	}
	return base
}

// People returns the participants present.
func (r *Roster) People() People {
	if r.people == nil {
		r.people = make([]*participant.Participant, len(r.sorted))
		for i, member := range r.sorted {
			r.people[i] = member.shown
		}
	}
	durations := make([]int32, len(r.sorted))
	for i, member := range r.sorted {
		durations[i] = member.shownDuration(r.marks)
	}
	return People{shared: r.people, durations: durations}
}

// sortedIDs returns the sorted ids of the members to include.
func (r *Roster) sortedIDs(include func(*tracked) bool) []string {
	var ids []string
	for id, member := range r.members {
		if include(member) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Counts returns how many participants are present, and how many of them are connected or
// held.
func (r *Roster) Counts() (total, active int) { return r.total, r.active }

// IDs returns all ids that are kept: those present, and those that left recently.
func (r *Roster) IDs() map[string]bool {
	ids := make(map[string]bool, len(r.members))
	for id := range r.members {
		ids[id] = true
	}
	return ids
}

// inFlightFor is how long a pending or dialing participant keeps the poll interval short:
// the upstream gives up after 60 s, plus a margin.
const inFlightFor = 90 * time.Second

// InFlight reports whether any call is being set up at a time: pending or dialing, and
// for less than inFlightFor (W15).
func (r *Roster) InFlight(at time.Time) bool {
	return r.inFlight > 0 && slices.ContainsFunc(r.sorted, func(t *tracked) bool {
		return t.Participant.Status.InFlight() && at.Sub(t.InFlightSince) < inFlightFor
	})
}
