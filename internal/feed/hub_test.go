package feed_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

func TestW12_HubHasAtMostMaxFeeds(t *testing.T) {
	run(t, feed.Options{MaxFeeds: 2}, func(h *harness) {
		_, release := h.acquire("a")
		_, releaseAgain := h.acquire("a") // The feed exists already.
		_, releaseB := h.acquire("b")
		defer releaseB()
		if _, _, err := h.hub.Acquire(t.Context(), h.Upstream, "c"); apierror.ReasonOf(err) != apierror.TooManyConferences {
			t.Fatalf("a third conference: %v", err)
		}
		release()
		releaseAgain()
		if _, _, err := h.hub.Acquire(t.Context(), h.Upstream, "c"); err == nil {
			t.Error("a lingering feed did not count")
		}
		h.advance(31 * time.Second)
		_, releaseC := h.acquire("c")
		releaseC()
	})
}

func TestW12_EndedFeedDoesNotCount(t *testing.T) {
	run(t, feed.Options{MaxFeeds: 1}, func(h *harness) {
		_, release := h.acquire("a")
		h.Fail(&apierror.Error{Reason: apierror.ConferenceNotFound, UpstreamStatus: 404, FromUpstream: true})
		h.advance(10 * time.Second)
		h.Fail(nil)
		_, releaseB := h.acquire("b")
		releaseB()
		release()
	})
}

// onMessage is a log handler that calls do at the first record with a message.
type onMessage struct {
	slog.Handler

	message string
	do      func()
}

func (o *onMessage) Enabled(context.Context, slog.Level) bool { return true }
func (o *onMessage) WithAttrs([]slog.Attr) slog.Handler       { return o }

func (o *onMessage) Handle(_ context.Context, r slog.Record) error {
	if do := o.do; r.Message == o.message && do != nil {
		o.do = nil
		do()
	}
	return nil
}

// TestW11_ReplacedFeedClosesItsSource acquires a feed between the end of the last one and its
// removal from the hub.
func TestW11_ReplacedFeedClosesItsSource(t *testing.T) {
	handler := &onMessage{message: "feed ended"}
	run(t, feed.Options{Logger: slog.New(handler)}, func(h *harness) {
		h.Set("a", participant.StatusDialing)
		first, releaseFirst := h.watch()
		defer releaseFirst()
		var second *feed.Feed
		var releaseSecond func()
		handler.do = func() {
			h.Fail(nil)
			var err error
			if second, releaseSecond, err = h.hub.Acquire(t.Context(), h.Upstream, "conf"); err != nil {
				t.Error(err)
			}
		}
		h.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		h.advance(10 * time.Second)
		if second == nil || second == first {
			t.Fatal("no second feed began")
		}
		if opened, open := h.Sources(); opened != 2 || open != 1 {
			t.Errorf("%d sources opened, %d open, want 2, 1", opened, open)
		}
		if again, release := h.watch(); again != second {
			t.Error("the end of the first feed removed the second")
		} else {
			release()
		}
		releaseSecond()
		h.advance(31 * time.Second)
		if _, open := h.Sources(); open != 0 {
			t.Errorf("%d sources open after the linger", open)
		}
	})
}

// TestW14_ExpiredLingerDoesNotStopALaterOne acquires and releases a feed at the moment when
// the timer of a linger fires.
func TestW14_ExpiredLingerDoesNotStopALaterOne(t *testing.T) {
	for range 200 {
		run(t, feed.Options{}, func(h *harness) {
			f, release := h.watch()
			release()
			h.sleep(30 * time.Second)
			again, release, err := h.hub.Acquire(t.Context(), h.Upstream, "conf")
			if err != nil {
				t.Fatal(err)
			}
			if again != f {
				return // The timer was first.
			}
			release()
			h.advance(29 * time.Second)
			if last, release := h.watch(); last != f {
				t.Error("the feed stopped before the end of its linger")
			} else {
				release()
			}
		})
	}
}

// TestFeed_PanicDoesNotEndTheFeed lets the poller panic.
func TestFeed_PanicDoesNotEndTheFeed(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusDialing)
		f, release := h.watch()
		defer release()
		before := panics.Recovered()
		h.Alter(func(*participant.List) { panic("list") })
		h.advance(20 * time.Second)
		if !f.State().Stale || f.State().End != nil || f.State().Total != 1 {
			t.Errorf("after panics: %+v", f.State())
		}
		if got := panics.Recovered() - before; got < 3 || got > 5 {
			t.Errorf("%d panics in 20 s", got)
		}
		h.Alter(nil)
		h.Set("b", participant.StatusDialing)
		h.advance(5 * time.Second)
		if state := f.State(); state.Stale || state.Total != 2 {
			t.Errorf("after the recovery: stale %v, total %d", state.Stale, state.Total)
		}
	})
}

// TestFeed_PanicWhilePlanningChangesNothing panics while the effect of a write is planned. The
// roster and the log stay as they were, and the next write and list apply to them.
func TestFeed_PanicWhilePlanningChangesNothing(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusDialing)
		f, release := h.watch()
		defer release()
		before := f.State()
		logger := slog.New(slog.DiscardHandler)
		if panics.Recover(logger, "a plan", func() { f.ChangeRoster(func() roster.Batch { panic("planning") }) }) == nil {
			t.Fatal("the plan did not panic")
		}
		if f.State() != before {
			t.Error("the panic changed the state")
		}
		h.Remove("a")
		h.hub.Begin(t.Context(), key()).Done(participant.Write{Kind: participant.WriteRemove, Item: participant.Item{
			Participant: participant.Participant{ID: "a"},
		}})
		if state := f.State(); state.Total != 0 || state.Position.Epoch != before.Position.Epoch {
			t.Errorf("after a Remove: total %d, same log %v", state.Total, state.Position.Epoch == before.Position.Epoch)
		}
		h.Set("b", participant.StatusDialing)
		h.advance(1100 * time.Millisecond)
		state := f.State()
		if missed, kept := state.After(before.Position); !kept || len(missed) != 2 || state.Total != 1 || state.Stale {
			t.Errorf("missed %v, kept %v, total %d, stale %v", missed, kept, state.Total, state.Stale)
		}
	})
}
