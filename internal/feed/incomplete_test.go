package feed_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

// failPage makes the second page of a list fail.
func failPage(list *participant.List) { list.PageErr = errors.New("page 2 failed") }

// addSurplus makes the total of a list larger than its number of items.
func addSurplus(list *participant.List) {
	total := list.Read + 1
	list.Total = &total
}

func TestW07_IncompleteListIsPublishedAndNoSuccess(t *testing.T) {
	for name, alter := range map[string]func(*participant.List){"a page failed": failPage, "the total is larger": addSurplus} {
		t.Run(name, func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				h.Set("a", participant.StatusDialing)
				h.Set("b", participant.StatusConnected)
				f, release := h.watch()
				defer release()
				h.Alter(alter)
				h.Set("a", participant.StatusConnected)
				h.Remove("b")
				h.advance(3 * time.Second)
				if got := statusOf(t, f, "a"); got != participant.StatusConnected || f.State().Stale {
					t.Errorf("a is %q, stale %v", got, f.State().Stale)
				}
				h.advance(3 * time.Second)
				state := f.State()
				if !state.Stale || state.StaleReason != apierror.UpstreamIncomplete || state.Total != 2 {
					t.Errorf("stale %v, reason %q, total %d", state.Stale, state.StaleReason, state.Total)
				}
				if time.Since(state.ObservedAt) > 6*time.Second || !state.ObservedAt.After(state.LastSuccess) {
					t.Errorf("observed at %v, last success %v", state.ObservedAt, state.LastSuccess)
				}
				h.Alter(nil)
				h.advance(10 * time.Second)
				if f.State().Stale || f.State().Total != 1 {
					t.Errorf("after a complete list: stale %v, total %d", f.State().Stale, f.State().Total)
				}
			})
		})
	}
}

func TestW07_IncompleteListMakesAFeedKnownAndStale(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusConnected)
		h.Alter(failPage)
		f, release := h.watch()
		defer release()
		state := f.State()
		if !state.Known || !state.Stale || state.StaleReason != apierror.UpstreamIncomplete || state.Total != 1 {
			t.Errorf("known %v, stale %v, reason %q, total %d", state.Known, state.Stale, state.StaleReason, state.Total)
		}
	})
}

func TestW11_IncompleteListBetweenRefusalsResetsThem(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusDialing)
		f, release := h.watch()
		defer release()
		h.Alter(failPage)
		for range 5 {
			h.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
			h.advance(1500 * time.Millisecond)
			h.Fail(nil)
			h.advance(10 * time.Second)
		}
		if f.State().End != nil {
			t.Error("ended though lists were read between")
		}
	})
}

// surpluses observes what feeds learn.
type surpluses struct {
	mu      sync.Mutex
	learned []int
}

func (*surpluses) Polled(context.Context, time.Duration, error) {}
func (*surpluses) Appended(feed.Entry)                          {}

func (o *surpluses) SurplusLearned(surplus int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.learned = append(o.learned, surplus)
}

func TestW07_SurplusIsLearnedOnceAndTheFeedTurnsFresh(t *testing.T) {
	observer := &surpluses{}
	run(t, feed.Options{Observer: observer, Logger: slog.New(slog.DiscardHandler)}, func(h *harness) {
		h.Set("a", participant.StatusDialing)
		h.Alter(addSurplus)
		f, release := h.watch()
		defer release()
		h.advance(50 * time.Second)
		if !f.State().Stale {
			t.Error("fresh before the surplus can be known")
		}
		h.advance(5 * time.Minute)
		if f.State().Stale || fmt.Sprint(observer.learned) != "[1]" {
			t.Errorf("stale %v, learned %v", f.State().Stale, observer.learned)
		}
	})
}

// TestW12_InvisibleBatchesTakeANumberAndNoHistory shifts the pages, so that each list
// misses other participants. Watchers see no change, and no history is kept.
func TestW12_InvisibleBatchesTakeANumberAndNoHistory(t *testing.T) {
	run(t, feed.Options{History: 10}, func(h *harness) {
		for i := range 100 {
			h.Set(fmt.Sprintf("p%02d", i), participant.StatusConnected)
		}
		h.Set("z", participant.StatusDialing)
		f, release := h.watch()
		defer release()
		start, round := f.State().Position, 0
		h.Alter(func(list *participant.List) {
			round++
			half := round % 2 * 50
			list.Pages, list.Items = 2, list.Items[half:half+50]
			list.Read = len(list.Items)
		})
		h.advance(9 * time.Minute)
		state := f.State()
		if state.Position.Seq < start.Seq+100 {
			t.Errorf("%d entries were appended: the pages did not shift", state.Position.Seq-start.Seq)
		}
		changes, members := 0, 0
		for _, entry := range state.History {
			changes += len(entry.Changes)
			members += len(entry.Members)
		}
		if len(state.History) > changes || members != 0 {
			t.Errorf("%d entries with %d changes and %d states of members", len(state.History), changes, members)
		}
		if _, kept := state.After(start); !kept {
			t.Error("a resume that missed nothing visible is refused")
		}
	})
}

func TestW04_ResumeAcrossInvisibleBatches(t *testing.T) {
	run(t, feed.Options{History: 2}, func(h *harness) {
		h.Set("a", participant.StatusDialing)
		f, release := h.watch()
		defer release()
		write := func() { // Not visible: the participant is not present.
			h.hub.Begin(t.Context(), key()).Done(participant.Write{Kind: participant.WriteRemove, Item: participant.Item{Participant: participant.Participant{ID: "x"}}})
		}
		positions := []feed.Position{f.State().Position}
		for i := range 4 {
			write()
			positions = append(positions, f.State().Position)
			h.Set(fmt.Sprintf("p%d", i), participant.StatusDialing)
			h.advance(1100 * time.Millisecond)
			write()
			positions = append(positions, f.State().Position)
		}
		want := []int{-1, -1, -1, -1, 2, 2, 1, 1, 0} // -1: no longer kept.
		for i, position := range positions {
			missed, kept := f.State().After(position)
			got := len(missed)
			if !kept {
				got = -1
			}
			if got != want[i] {
				t.Errorf("position %d: got %d entries, want %d", i, got, want[i])
			}
		}
	})
}
