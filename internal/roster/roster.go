// Package roster keeps the roster of one conference. It applies lists, writes and controls, and
// returns what each of them changed as a Batch.
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
	members    map[string]*Member
	known      bool
	// observedAt is when the last list that was applied began.
	observedAt time.Time
	// untracked contains what lists have proved about every id that is not in members:
	// its absence.
	untracked     Member
	surplus       surplus
	total, active int
	// ids are the sorted ids of the participants present; nil if they must be sorted again.
	ids []string
}

// New returns the empty roster of a conference. It is not known yet.
func New(conference string) *Roster {
	return &Roster{conference: conference, members: map[string]*Member{}}
}

// Known reports whether a list was applied.
func (r *Roster) Known() bool { return r.known }

// ObservedAt returns when the last list that was applied began; zero if none was.
func (r *Roster) ObservedAt() time.Time { return r.observedAt }

// ApplyPoll applies a list. An incomplete list proves who is present, but not who is
// absent (W7).
func (r *Roster) ApplyPoll(p Poll) Batch {
	batch := newBatch(p.List.Ended)
	listed := make(map[string]bool, len(p.List.Items))
	for _, item := range p.List.Items {
		listed[item.ID] = true
		r.applyItem(batch, p, item)
	}
	learnedBefore := r.surplus.learned
	batch.Complete = r.surplus.complete(p.List, r.allListedSince)
	if r.surplus.learned > learnedBefore {
		batch.LearnedSurplus = r.surplus.learned
	}
	if batch.Complete {
		r.applyAbsences(batch, p, listed)
	}
	r.endAddWindows(batch, p)
	r.forget(p.List.Began)
	if !r.known {
		// The first list is the base of all snapshots: no client holds an earlier roster
		// that it could change.
		batch.Changes = nil
	}
	r.known, r.observedAt = true, p.List.Began
	return batch.build(r)
}

// applyAbsences applies a complete list to every member that it did not contain.
func (r *Roster) applyAbsences(batch *batchBuilder, p Poll, listed map[string]bool) {
	for _, id := range r.missingFrom(listed) {
		r.applyAbsence(batch, p, r.members[id])
	}
	if r.untracked.provesAbsence(p) || !r.known {
		r.untracked.EvidenceAt = p.List.Began
	}
}

// ApplyWrite applies a write that the upstream answered with success.
func (r *Roster) ApplyWrite(w Write) Batch {
	batch := newBatch(w.DoneAt)
	member := r.member(w.Item.ID)
	member.recordCompleted(w)
	batch.markChanged(member)
	switch w.Kind {
	case participant.WriteAdd:
		r.applyAdd(batch, w, member)
	case participant.WriteRemove:
		r.applyRemove(batch, w, member)
	}
	return batch.build(r)
}

// Participants returns the participants present, sorted by id.
func (r *Roster) Participants() []participant.Participant {
	if r.ids == nil {
		r.ids = make([]string, 0, r.total)
		for id, member := range r.members {
			if member.Present {
				r.ids = append(r.ids, id)
			}
		}
		slices.Sort(r.ids)
	}
	present := make([]participant.Participant, len(r.ids))
	for i, id := range r.ids {
		present[i] = r.members[id].Participant
	}
	return present
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
	for _, member := range r.members {
		if member.Present && member.Participant.Status.InFlight() && at.Sub(member.InFlightSince) < inFlightFor {
			return true
		}
	}
	return false
}

// set replaces the member's participant and presence, and updates the counts.
func (r *Roster) set(member *Member, after participant.Participant, present bool, at time.Time) {
	r.count(member, -1)
	wasInFlight := member.Present && member.Participant.Status.InFlight()
	if after.Status.InFlight() && !wasInFlight {
		member.InFlightSince = at
	}
	if member.Present != present {
		r.ids = nil
		member.endControls()
	}
	member.Participant, member.Present = after, present
	r.count(member, +1)
}

func (r *Roster) count(member *Member, by int) {
	if !member.Present {
		return
	}
	r.total += by
	if member.Participant.Status.Active() {
		r.active += by
	}
}
