package watch

import (
	"weak"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

// stateKeys are the keys of the messages that show one state.
var stateKeys = [...]renderingKey{
	{snapshot: Initial}, {snapshot: ResumeExpired}, {snapshot: FilterChanged}, {snapshot: Lagged}, {checkpoint: true},
}

// snapshot returns the filtered roster of a state.
func (v *view) snapshot(state *feed.State, reason SnapshotReason) *Message {
	return v.stateMessage(state, renderingKey{snapshot: reason}, func() (*Message, int) {
		participants := v.visibleParticipants(state)
		return &Message{
			Token: v.token(state.Position),
			Snapshot: &Snapshot{
				Participants: participants,
				Total:        state.Total,
				Active:       state.Active,
				Reason:       reason,
				ObservedAt:   state.ObservedAt,
			},
			MaskNumbers: v.filter.MaskNumbers,
		}, len(participants) * participantBytes
	})
}

// checkpoint returns the checkpoint of a subscriber at the head of a state's log.
func (v *view) checkpoint(state *feed.State) *Message {
	return v.stateMessage(state, renderingKey{checkpoint: true}, func() (*Message, int) {
		counts := Counts{Total: state.Total, Active: state.Active, Visible: v.countLocked(state)}
		return &Message{Token: v.token(state.Position), Checkpoint: newCheckpoint(state, &counts)}, 0
	})
}

func newCheckpoint(state *feed.State, counts *Counts) *Checkpoint {
	return &Checkpoint{
		Stale:        state.Stale,
		StaleReason:  state.StaleReason,
		LastSuccess:  state.LastSuccess,
		Counts:       counts,
		PollInterval: state.PollInterval,
	}
}

// stateMessage returns the message that render makes of a state, from the cache if it was
// made before. render also returns how much memory it takes in addition.
func (v *view) stateMessage(state *feed.State, key renderingKey, render func() (*Message, int)) *Message {
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	v.setState(state)
	if r := v.kept[key]; r != nil {
		return r.message
	}
	message, bytes := render()
	r := &rendering{view: v, key: key, message: message, bytes: renderingBytes + messageBytes + bytes}
	message.rendering = r
	v.cache.add(r)
	return message
}

// count returns how many participants of a state match the filter.
func (v *view) count(state *feed.State) int {
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	v.setState(state)
	return v.countLocked(state)
}

// countLocked is count after setState. The cache is locked.
func (v *view) countLocked(state *feed.State) int {
	switch {
	case v.counted:
	case v.filter.MatchesAll():
		v.counted, v.visible = true, state.People.Len()
	default:
		v.counted, v.visible = true, 0
		v.forEachVisible(state, func(participant.Participant) { v.visible++ })
	}
	return v.visible
}

// setState removes what shows another state. The cache is locked.
func (v *view) setState(state *feed.State) {
	if v.state == weak.Make(state) {
		return
	}
	v.state, v.counted = weak.Make(state), false
	for _, key := range stateKeys {
		if r := v.kept[key]; r != nil {
			v.cache.remove(r)
		}
	}
}

// visibleParticipants returns copies of the participants of a state that match the filter. The
// cache is locked.
func (v *view) visibleParticipants(state *feed.State) []participant.Participant {
	visible := make([]participant.Participant, 0, v.countLocked(state))
	v.forEachVisible(state, func(p participant.Participant) { visible = append(visible, p) })
	return visible
}

// forEachVisible calls visit with each participant of a state that matches the filter,
// sorted by id. For a filter with ids it looks at no others.
func (v *view) forEachVisible(state *feed.State, visit func(participant.Participant)) {
	if len(v.filter.IDs) == 0 {
		for i := range state.People.Len() {
			if p := state.People.At(i); v.filter.Match(p) {
				visit(p)
			}
		}
		return
	}
	for _, id := range v.filter.IDs {
		if p, found := state.People.Find(id); found && v.filter.Match(p) {
			visit(p)
		}
	}
}
