package roster

import (
	"slices"
	"strings"

	"github.com/audian/participant-gateway/internal/participant"
)

// tracked is a member of this roster, with what batches do not contain. What every list reads
// comes first, so that it takes few cache lines.
type tracked struct {
	// settledFrom is when the first list may begin of which the item can be left out if it is
	// repeated; never if nothing can.
	settledFrom LogicalTime
	// list is the number of the last planned list that contained the id.
	list uint64
	// duration is that in a list that the roster has planned itself. It counts while that list
	// is the latest.
	duration     int32
	durationList LogicalTime
	// shown is the participant without that duration. It is replaced, never changed.
	shown *participant.Participant

	Member //nolint:embeddedstructfieldcheck // What every list reads comes first.
}

// listed is a member in the order of a list. The id is that of the member, so that a search reads
// no members.
type listed struct {
	id     string
	member *tracked
}

// find returns the member with an id, or nil. The id is at an index of a list: mostly at that
// of the list before, so that the map is not needed.
func (r *Roster) find(at int, id string) *tracked {
	if at < len(r.listed) && r.listed[at].id == id {
		return r.listed[at].member
	}
	return r.members[id]
}

// put adds or replaces a member.
func (r *Roster) put(m Member) {
	t := r.members[m.Participant.ID]
	if t == nil {
		t = &tracked{}
		r.members[m.Participant.ID] = t
	}
	r.replace(t, m)
}

// drop drops the member with an id, if there is one.
func (r *Roster) drop(id string) {
	t := r.members[id]
	if t == nil {
		return
	}
	r.replace(t, Member{Participant: t.Participant})
	delete(r.members, id)
	r.listed = nil
}

// replace replaces a member, and updates the counts and the order.
func (r *Roster) replace(t *tracked, after Member) {
	wasPresent := t.Present
	r.count(t, -1)
	*t = tracked{Member: after, settledFrom: after.settledFrom(), shown: new(after.Participant)}
	r.count(t, +1)
	if wasPresent || t.Present {
		r.people = nil
	}
	if wasPresent != t.Present {
		r.sort(t)
	}
}

func (r *Roster) count(t *tracked, by int) {
	if !t.Present {
		return
	}
	r.total += by
	if t.Participant.Status.Active() {
		r.active += by
	}
	if t.Participant.Status.InFlight() {
		r.inFlight += by
	}
}

// sort adds a member who is now present to those sorted by id, or takes out one who is not.
func (r *Roster) sort(t *tracked) {
	at, _ := slices.BinarySearchFunc(r.sorted, t.Participant.ID, func(other *tracked, id string) int {
		return strings.Compare(other.Participant.ID, id)
	})
	if t.Present {
		r.sorted = slices.Insert(r.sorted, at, t)
	} else {
		r.sorted = slices.Delete(r.sorted, at, at+1)
	}
}
