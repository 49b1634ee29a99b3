package watch

import (
	"sync"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// view is a feed seen through one filter. Subscribers with equal filters share it, so
// that each message is made, and encoded, once for all of them.
type view struct {
	feed   *feed.Feed
	filter participant.Filter
	hash   participant.FilterHash

	mu sync.Mutex
	// recent are the messages of the last entries: subscribers come for them at
	// nearly the same time. Those who resume together come for older ones together.
	recent   ring
	replayed ring
	// of is the state that the rest was made of.
	of         *feed.State
	counted    bool
	visible    int
	snapshots  [Lagged + 1]*Message
	checkpoint *Message
}

// ring keeps messages by their sequence numbers, each until another takes its place.
type ring [64]filtered

// filtered is an entry seen through the filter: message is nil where it shows nothing.
type filtered struct {
	seq     uint64
	message *Message
	// delta is by how many the filtered roster grew.
	delta int
}

// entry gives an entry of a state's log as seen through the filter.
func (v *view) entry(state *feed.State, entry *feed.Entry) filtered {
	v.mu.Lock()
	defer v.mu.Unlock()
	kept := &v.recent
	if state.Position.Seq-entry.Seq >= uint64(len(kept)) {
		kept = &v.replayed
	}
	slot := &kept[entry.Seq%uint64(len(kept))]
	if slot.seq != entry.Seq {
		*slot = v.look(state.Position.Epoch, entry)
	}
	return *slot
}

// look makes what the filter shows of an entry.
func (v *view) look(epoch feed.Epoch, entry *feed.Entry) filtered {
	made := filtered{seq: entry.Seq}
	var visible []Change
	for _, change := range entry.Changes {
		seen, delta, shown := v.see(change)
		if shown {
			visible = append(visible, seen)
			made.delta += delta
		}
	}
	if len(visible) > 0 {
		made.message = &Message{
			Token:   v.token(feed.Position{Epoch: epoch, Seq: entry.Seq}),
			Changes: &Changes{Changes: visible, NotBefore: entry.NotBefore, NotAfter: entry.NotAfter},
		}
	}
	return made
}

// see gives a change as the filter shows it (W17), and by how many the filtered
// roster grew; false where the filter hides it.
func (v *view) see(c roster.Change) (seen Change, delta int, shown bool) {
	held := c.Before != nil && v.filter.Match(*c.Before)
	holds := c.After != nil && v.filter.Match(*c.After)
	seen = Change{Before: c.Before, ByWrite: c.ByWrite}
	switch {
	case held && holds:
		seen.Kind, seen.Participant = Updated, *c.After
		return seen, 0, true
	case holds:
		seen.Kind, seen.Participant = Added, *c.After
		return seen, +1, true
	case held && c.After != nil:
		seen.Kind, seen.Participant = LeftFilter, *c.After
		return seen, -1, true
	case held:
		seen.Kind, seen.Participant = Removed, *c.Before
		return seen, -1, true
	default:
		return Change{}, 0, false
	}
}

// snapshot gives the filtered roster of a state.
func (v *view) snapshot(state *feed.State, reason SnapshotReason) *Message {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.turnTo(state)
	if v.snapshots[reason] == nil {
		v.snapshots[reason] = &Message{
			Token: v.token(state.Position),
			Snapshot: &Snapshot{
				Participants: v.pass(state.Participants),
				Total:        state.Total,
				Active:       state.Active,
				Reason:       reason,
				ObservedAt:   state.ObservedAt,
			},
		}
	}
	return v.snapshots[reason]
}

// atHead gives the checkpoint of a subscriber who has seen all of a state.
func (v *view) atHead(state *feed.State) *Message {
	counts := Counts{Total: state.Total, Active: state.Active, Visible: v.count(state)}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.turnTo(state)
	if v.checkpoint == nil {
		v.checkpoint = &Message{Token: v.token(state.Position), Checkpoint: checkpoint(state, &counts)}
	}
	return v.checkpoint
}

// count is how many of a state pass the filter.
func (v *view) count(state *feed.State) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.turnTo(state)
	if !v.counted {
		v.counted, v.visible = true, len(v.pass(state.Participants))
	}
	return v.visible
}

// turnTo forgets what was made of another state. The lock is held.
func (v *view) turnTo(state *feed.State) {
	if v.of == state {
		return
	}
	v.of, v.counted, v.checkpoint = state, false, nil
	clear(v.snapshots[:])
}

func (v *view) pass(all []participant.Participant) []participant.Participant {
	passed := make([]participant.Participant, 0, len(all))
	for _, p := range all {
		if v.filter.Match(p) {
			passed = append(passed, p)
		}
	}
	return passed
}

func (v *view) token(position feed.Position) string {
	return token{position: position, filter: v.hash, conference: v.feed.Key().Conference}.String()
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
