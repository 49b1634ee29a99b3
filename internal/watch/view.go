package watch

import (
	"sync/atomic"
	"weak"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// view is a feed seen through one filter. Subscribers with equal filters share it, so that
// each message is made and encoded once for all of them.
type view struct {
	feed   *feed.Feed
	filter participant.Filter
	hash   participant.FilterHash
	// broadcast is shared by all views of the feed.
	broadcast *broadcast
	// shown are the entries that the filter shows. The broadcast's lock guards it.
	shown shownEntries

	// latest is the entry that was rendered last, if it is in kept. It changes under the cache's
	// lock, and most subscribers need no lock because of it.
	latest atomic.Pointer[rendering]

	// cache is shared by all views of the feed. Its lock guards the fields below.
	cache *renderingCache
	kept  map[renderingKey]*rendering
	// firstKept is the first entry that the log kept when the view last looked, and epoch the
	// log of the entries in kept.
	firstKept uint64
	epoch     feed.Epoch
	// state is the state of the counts below and of the snapshots and checkpoints in kept.
	// It does not keep the state alive.
	state   weak.Pointer[feed.State]
	counted bool
	visible int
}

// renderingKey identifies a rendering: an entry by its sequence number, or a snapshot or
// checkpoint of the view's state.
type renderingKey struct {
	seq        uint64
	snapshot   SnapshotReason
	checkpoint bool
}

func newView(source *feed.Feed, filter participant.Filter, shared *renderingCache, all *broadcast) *view {
	return &view{
		feed: source, filter: filter, hash: filter.Hash(), broadcast: all,
		cache: shared, kept: map[renderingKey]*rendering{}, firstKept: firstKept(source.State()),
	}
}

// clear removes all renderings of the view.
func (v *view) clear() {
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	for _, r := range v.kept {
		v.cache.remove(r)
	}
}

// entry returns an entry of a state's log as the filter shows it.
func (v *view) entry(state *feed.State, entry *feed.Entry) *rendering {
	if r := v.latest.Load(); r != nil && r.key.seq == entry.Seq && r.epoch == state.Position.Epoch {
		return r
	}
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	v.setEpoch(state)
	v.removeBefore(firstKept(state))
	key := renderingKey{seq: entry.Seq}
	if r := v.kept[key]; r != nil {
		return r
	}
	r := v.render(key, state.Position.Epoch, entry)
	if entry.Seq >= v.firstKept {
		v.cache.add(r)
	}
	return r
}

// setEpoch removes the entries of another log than the state's. The cache is locked.
func (v *view) setEpoch(state *feed.State) {
	if v.epoch == state.Position.Epoch {
		return
	}
	v.epoch, v.firstKept = state.Position.Epoch, firstKept(state)
	for key, r := range v.kept {
		if key.seq != 0 {
			v.cache.remove(r)
		}
	}
}

// firstKept returns the sequence number of the first entry that a state's log keeps, or of
// the next entry if it keeps none.
func firstKept(state *feed.State) uint64 {
	if len(state.History) == 0 {
		return state.Position.Seq + 1
	}
	return state.History[0].Seq
}

// removeBefore removes the entries that the log no longer keeps. The cache is locked.
func (v *view) removeBefore(first uint64) {
	for ; v.firstKept < first; v.firstKept++ {
		if r := v.kept[renderingKey{seq: v.firstKept}]; r != nil {
			v.cache.remove(r)
		}
	}
}

// render makes the message of an entry.
func (v *view) render(key renderingKey, epoch feed.Epoch, entry *feed.Entry) *rendering {
	r := &rendering{view: v, key: key, epoch: epoch, bytes: renderingBytes}
	var changes []Change
	for _, c := range entry.Changes {
		change, delta, shown := v.filterChange(c)
		if shown {
			changes = append(changes, change)
			r.delta += delta
		}
	}
	if len(changes) > 0 {
		r.bytes += messageBytes + len(changes)*changeBytes
		r.message = &Message{
			Token:       v.token(feed.Position{Epoch: epoch, Seq: entry.Seq}),
			Changes:     &Changes{Changes: changes, NotBefore: entry.NotBefore, NotAfter: entry.NotAfter},
			MaskNumbers: v.filter.MaskNumbers,
			rendering:   r,
		}
	}
	return r
}

// visibleDelta returns by how many participants an entry makes the filtered roster grow.
func (v *view) visibleDelta(entry *feed.Entry) (total int) {
	for _, change := range entry.Changes {
		_, delta, _ := v.filterChange(change)
		total += delta
	}
	return total
}

// filterChange returns a change as the filter shows it (W17), and by how many participants
// the filtered roster grows. It returns false if the filter hides the change.
func (v *view) filterChange(c roster.Change) (change Change, delta int, shown bool) {
	matchedBefore := c.Before != nil && v.filter.Match(*c.Before)
	matchesAfter := c.After != nil && v.filter.Match(*c.After)
	change = Change{Before: c.Before, ByWrite: c.ByWrite}
	switch {
	case matchedBefore && matchesAfter:
		change.Kind, change.Participant = Updated, *c.After
		return change, 0, true
	case matchesAfter:
		change.Kind, change.Participant = Added, *c.After
		return change, +1, true
	case matchedBefore && c.After != nil:
		change.Kind, change.Participant = LeftFilter, *c.After
		return change, -1, true
	case matchedBefore:
		change.Kind, change.Participant = Removed, *c.Before
		return change, -1, true
	default:
		return Change{}, 0, false
	}
}

func (v *view) token(position feed.Position) string {
	return token{position: position, filter: v.hash, conference: v.feed.Key().Conference}.String()
}
