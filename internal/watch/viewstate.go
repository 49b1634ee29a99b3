package watch

import (
	"weak"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

// ofState are the keys of the messages made of the present state.
var ofState = [...]renderingKey{
	{snapshot: Initial}, {snapshot: ResumeExpired}, {snapshot: FilterChanged}, {snapshot: Lagged}, {checkpoint: true},
}

// snapshot gives the filtered roster of a state.
func (v *view) snapshot(state *feed.State, reason SnapshotReason) *Message {
	return v.stateMessage(state, renderingKey{snapshot: reason}, func() (*Message, int) {
		participants, own := v.pass(state)
		return &Message{
			Token: v.token(state.Position),
			Snapshot: &Snapshot{
				Participants: participants,
				Total:        state.Total,
				Active:       state.Active,
				Reason:       reason,
				ObservedAt:   state.ObservedAt,
			},
		}, own * participantBytes
	})
}

// atHead gives the checkpoint of a subscriber who has seen all of a state.
func (v *view) atHead(state *feed.State) *Message {
	return v.stateMessage(state, renderingKey{checkpoint: true}, func() (*Message, int) {
		counts := Counts{Total: state.Total, Active: state.Active, Visible: v.countLocked(state)}
		return &Message{Token: v.token(state.Position), Checkpoint: checkpoint(state, &counts)}, 0
	})
}

// stateMessage gives a message that render makes of a state, with the memory that it
// takes beside the usual.
func (v *view) stateMessage(state *feed.State, key renderingKey, render func() (*Message, int)) *Message {
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	v.turnTo(state)
	if r := v.kept[key]; r != nil {
		return r.message
	}
	message, bytes := render()
	made := &rendering{view: v, key: key, message: message, bytes: renderingBytes + messageBytes + bytes}
	message.rendering = made
	v.cache.keep(made)
	return message
}

// count is how many of a state pass the filter.
func (v *view) count(state *feed.State) int {
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	v.turnTo(state)
	return v.countLocked(state)
}

// countLocked is count where the lock is held and the view is turned to the state.
func (v *view) countLocked(state *feed.State) int {
	if !v.counted {
		v.counted, v.visible = true, 0
		v.visit(state, func(participant.Participant) { v.visible++ })
	}
	return v.visible
}

// turnTo forgets what was made of another state. The lock is held.
func (v *view) turnTo(state *feed.State) {
	if v.of == weak.Make(state) {
		return
	}
	v.of, v.counted = weak.Make(state), false
	for _, key := range ofState {
		if r := v.kept[key]; r != nil {
			v.cache.drop(r)
		}
	}
}

// pass gives those of a state who pass the filter, and how many of them are copies. The
// lock is held.
func (v *view) pass(state *feed.State) (passed []participant.Participant, copies int) {
	if v.passesAll() {
		return state.Participants, 0
	}
	passed = make([]participant.Participant, 0, v.countLocked(state))
	v.visit(state, func(p participant.Participant) { passed = append(passed, p) })
	return passed, len(passed)
}

// visit calls found with each of a state who passes the filter, sorted by id. A filter
// on ids looks at no others.
func (v *view) visit(state *feed.State, found func(participant.Participant)) {
	if len(v.filter.IDs) == 0 {
		for _, p := range state.Participants {
			if v.filter.Match(p) {
				found(p)
			}
		}
		return
	}
	for _, id := range v.filter.IDs {
		if p, listed := state.Find(id); listed && v.filter.Match(p) {
			found(p)
		}
	}
}

// passesAll says whether the filter passes everybody.
func (v *view) passesAll() bool {
	return len(v.filter.Statuses) == 0 && len(v.filter.Roles) == 0 && len(v.filter.IDs) == 0
}

func checkpoint(state *feed.State, counts *Counts) *Checkpoint {
	return &Checkpoint{
		Stale:        state.Stale,
		StaleReason:  state.StaleReason,
		LastSuccess:  state.LastSuccess,
		Counts:       counts,
		PollInterval: state.PollInterval,
	}
}
