package watch

import (
	"testing"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// TestR08_AnotherLogsEntriesAreRenderedAnew has two logs with an entry of the same number, and a
// subscriber that still reads the old one.
func TestR08_AnotherLogsEntriesAreRenderedAnew(t *testing.T) {
	v := &view{feed: &feed.Feed{}, cache: &renderingCache{}, kept: map[renderingKey]*rendering{}}
	log := func(epoch byte, seq uint64, id string) *feed.State {
		return &feed.State{
			Position: feed.Position{Epoch: feed.Epoch{epoch}, Seq: seq},
			History:  []feed.Entry{{Seq: seq, Batch: roster.Batch{Changes: []roster.Change{{After: &participant.Participant{ID: id}}}}}},
		}
	}
	for _, state := range []*feed.State{log(1, 2, "a"), log(2, 2, "b"), log(3, 1, "c"), log(2, 2, "b"), log(4, 9, "d")} {
		entry := &state.History[0]
		first, again := v.entry(state, entry).message, v.entry(state, entry).message
		if id := first.Changes.Changes[0].Participant.ID; id != entry.Changes[0].After.ID || first.Token != v.token(state.Position) {
			t.Errorf("log %x: got the change of %s at %s", state.Position.Epoch[0], id, first.Token)
		}
		if first != again {
			t.Errorf("log %x: rendered twice", state.Position.Epoch[0])
		}
	}
	if len(v.kept) != 1 || v.cache.order.Len() != 1 {
		t.Errorf("%d renderings are kept", len(v.kept))
	}
}

// TestW14_WhatWasEvictedIsNotKept evicts the entry that was rendered last.
func TestW14_WhatWasEvictedIsNotKept(t *testing.T) {
	v := &view{feed: &feed.Feed{}, cache: &renderingCache{}, kept: map[renderingKey]*rendering{}}
	state := &feed.State{Position: feed.Position{Seq: 1}, History: []feed.Entry{{Seq: 1}}}
	first := v.entry(state, &state.History[0])
	if v.latest.Load() != first {
		t.Error("the latest entry needs the lock")
	}
	first.grow(cacheBytes)
	if v.latest.Load() != nil || len(v.kept) != 0 {
		t.Error("an evicted entry is kept")
	}
	if again := v.entry(state, &state.History[0]); again == first {
		t.Error("an evicted entry was returned")
	}
}
