package answer

import (
	"cmp"
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// absenceGap is how far apart two complete lists must begin to prove together that a participant
// is absent whom the roster never contained. One list may be a placeholder, or have several
// pages (W7).
const absenceGap = 2 * time.Second

// tracker follows one participant through the states of a feed. The feed may have begun after
// the add: then its roster does not contain the participant until a list does.
type tracker struct {
	added participant.Participant
	// latest is the participant as last known.
	latest participant.Participant
	// listed reports that the roster has contained the participant.
	listed bool
	// mustListAfter is when the add's lag window ends, and absentSince when the first
	// complete list after it began; zero if there was none.
	mustListAfter, absentSince time.Time
}

func newTracker(call Call) *tracker {
	return &tracker{
		added: call.Participant, latest: call.Participant,
		mustListAfter: call.AnsweredAt.Add(roster.LagWindow),
	}
}

// update reads a state. It reports whether the phone call has an outcome: the participant is
// no longer being called, or no longer there.
func (t *tracker) update(state *feed.State) (ended bool) {
	if current, found := state.People.Find(t.added.ID); found {
		t.latest, t.listed = t.merge(current), true
		return !ringing(t.latest)
	}
	if last, removed := lastRemoved(state.History, t.added.ID); removed {
		t.latest = t.merge(last)
		return true
	}
	return t.listed || t.provesAbsence(state.FreshAt)
}

// merge returns the roster's participant, with the fields of the add's response that lists
// do not contain (W8).
func (t *tracker) merge(current participant.Participant) participant.Participant {
	current.PhoneNumber = cmp.Or(current.PhoneNumber, t.added.PhoneNumber)
	current.Name = cmp.Or(current.Name, t.added.Name)
	current.Role = cmp.Or(current.Role, t.added.Role)
	current.Status = cmp.Or(current.Status, t.added.Status)
	if current.CreatedAt.IsZero() {
		current.CreatedAt = t.added.CreatedAt
	}
	return current
}

// provesAbsence takes the start of the last complete list, which did not contain the
// participant.
func (t *tracker) provesAbsence(began time.Time) bool {
	if began.Before(t.mustListAfter) {
		return false
	}
	if t.absentSince.IsZero() {
		t.absentSince = began
	}
	return began.Sub(t.absentSince) >= absenceGap
}

// lastRemoved returns a participant as they were when they last left the roster.
func lastRemoved(history []feed.Entry, id string) (participant.Participant, bool) {
	for _, entry := range slices.Backward(history) {
		for _, change := range entry.Changes {
			if removed(change) && change.Before.ID == id {
				return *change.Before, true
			}
		}
	}
	return participant.Participant{}, false
}

func removed(change roster.Change) bool { return change.Before != nil && change.After == nil }

// ringing reports whether the phone call is still being set up. A participant without a status
// may be: the upstream has reported none. A status that is not documented is an outcome.
func ringing(p participant.Participant) bool { return p.Status == "" || p.Status.InFlight() }
