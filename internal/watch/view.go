package watch

import (
	"weak"

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

	// cache is shared by all views of the feed. Its lock guards what follows.
	cache *cache
	kept  map[renderingKey]*rendering
	// first is the oldest entry that the log was last seen to keep.
	first uint64
	// of is the state that the rest was made of. It does not keep the state alive.
	of      weak.Pointer[feed.State]
	counted bool
	visible int
}

// renderingKey names what is rendered: an entry by its sequence number, or one of the
// messages made of the present state.
type renderingKey struct {
	seq        uint64
	snapshot   SnapshotReason
	checkpoint bool
}

func newView(source *feed.Feed, filter participant.Filter, shared *cache) *view {
	return &view{
		feed: source, filter: filter, hash: filter.Hash(),
		cache: shared, kept: map[renderingKey]*rendering{}, first: firstKept(source.State()),
	}
}

// drop forgets all that the view keeps.
func (v *view) drop() {
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	for _, r := range v.kept {
		v.cache.drop(r)
	}
}

// entry gives an entry of a state's log as seen through the filter.
func (v *view) entry(state *feed.State, entry *feed.Entry) *rendering {
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	v.forgetBefore(firstKept(state))
	key := renderingKey{seq: entry.Seq}
	if r := v.kept[key]; r != nil {
		return r
	}
	r := v.render(key, state.Position.Epoch, entry)
	if entry.Seq >= v.first {
		v.cache.keep(r)
	}
	return r
}

// firstKept is the sequence number of the oldest entry that a state's log keeps; the
// next to come where it keeps none.
func firstKept(state *feed.State) uint64 {
	if len(state.History) == 0 {
		return state.Position.Seq + 1
	}
	return state.History[0].Seq
}

// forgetBefore forgets the entries that the log no longer keeps. The lock is held.
func (v *view) forgetBefore(first uint64) {
	for ; v.first < first; v.first++ {
		if r := v.kept[renderingKey{seq: v.first}]; r != nil {
			v.cache.drop(r)
		}
	}
}

// render makes what the filter shows of an entry.
func (v *view) render(key renderingKey, epoch feed.Epoch, entry *feed.Entry) *rendering {
	made := &rendering{view: v, key: key, bytes: renderingBytes}
	var visible []Change
	for _, change := range entry.Changes {
		seen, delta, shown := v.see(change)
		if shown {
			visible = append(visible, seen)
			made.delta += delta
		}
	}
	if len(visible) > 0 {
		made.bytes += messageBytes + len(visible)*changeBytes
		made.message = &Message{
			Token:     v.token(feed.Position{Epoch: epoch, Seq: entry.Seq}),
			Changes:   &Changes{Changes: visible, NotBefore: entry.NotBefore, NotAfter: entry.NotAfter},
			rendering: made,
		}
	}
	return made
}

// growth is by how many an entry makes the filtered roster grow.
func (v *view) growth(entry *feed.Entry) (growth int) {
	for _, change := range entry.Changes {
		_, delta, _ := v.see(change)
		growth += delta
	}
	return growth
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

func (v *view) token(position feed.Position) string {
	return token{position: position, filter: v.hash, conference: v.feed.Key().Conference}.String()
}
