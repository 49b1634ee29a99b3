package feed_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
)

func TestW12_AHubHoldsSoManyFeeds(t *testing.T) {
	play(t, feed.Options{MaxFeeds: 2}, func(s *scene) {
		_, release := s.acquire("a")
		_, releaseAgain := s.acquire("a") // Those who watch it already make it no more.
		_, releaseB := s.acquire("b")
		defer releaseB()
		if _, _, err := s.hub.Acquire(s.Upstream, "c"); apierror.ReasonOf(err) != apierror.TooManyConferences {
			t.Fatalf("a third conference: %v", err)
		}
		release()
		releaseAgain()
		if _, _, err := s.hub.Acquire(s.Upstream, "c"); err == nil {
			t.Error("one that lingers did not count")
		}
		s.after(31 * time.Second)
		_, releaseC := s.acquire("c")
		releaseC()
	})
}

func TestW12_AFeedThatIsOverMakesRoom(t *testing.T) {
	play(t, feed.Options{MaxFeeds: 1}, func(s *scene) {
		_, release := s.acquire("a")
		s.Fail(&apierror.Error{Reason: apierror.ConferenceNotFound, UpstreamStatus: 404, FromUpstream: true})
		s.after(10 * time.Second)
		s.Fail(nil)
		_, releaseB := s.acquire("b")
		releaseB()
		release()
	})
}

func (s *scene) acquire(conference string) (watched *feed.Feed, release func()) {
	s.t.Helper()
	watched, release, err := s.hub.Acquire(s.Upstream, conference)
	if err != nil {
		s.t.Fatalf("acquire %s: %v", conference, err)
	}
	synctest.Wait()
	return watched, release
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

// TestW11_AFeedReplacedAtItsEndLetsItsSourceGo has a watcher come between the end of a
// feed and its removal from the hub.
func TestW11_AFeedReplacedAtItsEndLetsItsSourceGo(t *testing.T) {
	handler := &onMessage{message: "feed ended"}
	play(t, feed.Options{Logger: slog.New(handler)}, func(s *scene) {
		s.Set("a", participant.StatusDialing)
		first, releaseFirst := s.watch()
		defer releaseFirst()
		var second *feed.Feed
		var releaseSecond func()
		handler.do = func() {
			s.Fail(nil)
			var err error
			if second, releaseSecond, err = s.hub.Acquire(s.Upstream, "conf"); err != nil {
				t.Error(err)
			}
		}
		s.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		s.after(10 * time.Second)
		if second == nil || second == first {
			t.Fatal("no second feed began")
		}
		if opened, open := s.Sources(); opened != 2 || open != 1 {
			t.Errorf("%d sources opened, %d open, want 2, 1", opened, open)
		}
		if again, release := s.watch(); again != second {
			t.Error("the end of the first feed took the second away")
		} else {
			release()
		}
		releaseSecond()
		s.after(31 * time.Second)
		if _, open := s.Sources(); open != 0 {
			t.Errorf("%d sources open after the linger", open)
		}
	})
}

// TestW14_ALingerThatEndsJustNowDoesNotEndTheNext has a watcher come and go at the moment
// when the timer of a linger fires.
func TestW14_ALingerThatEndsJustNowDoesNotEndTheNext(t *testing.T) {
	for range 200 {
		play(t, feed.Options{}, func(s *scene) {
			f, release := s.watch()
			release()
			time.Sleep(30 * time.Second)
			again, release, err := s.hub.Acquire(s.Upstream, "conf")
			if err != nil {
				t.Fatal(err)
			}
			if again != f {
				return // The timer was first.
			}
			release()
			s.after(29 * time.Second)
			if last, release := s.watch(); last != f {
				t.Error("the feed ended before its linger was over")
			} else {
				release()
			}
		})
	}
}

// TestFeed_APanicEndsNoFeed has the upstream's list make the poller panic.
func TestFeed_APanicEndsNoFeed(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusDialing)
		f, release := s.watch()
		defer release()
		before := panics.Recovered()
		s.Alter(func(*participant.List) { panic("list") })
		s.after(20 * time.Second)
		if !f.State().Stale || f.State().End != nil || f.State().Total != 1 {
			t.Errorf("after panics: %+v", f.State())
		}
		if got := panics.Recovered() - before; got < 3 || got > 5 {
			t.Errorf("%d panics in 20 s", got)
		}
		s.Alter(nil)
		s.Set("b", participant.StatusDialing)
		s.after(5 * time.Second)
		if state := f.State(); state.Stale || state.Total != 2 {
			t.Errorf("after it went well again: stale %v, total %d", state.Stale, state.Total)
		}
	})
}

// TestFeed_ARosterThatIsHalfChangedIsReadAnew leaves the roster as a panic amid a list
// does: a write changes nothing, and the next list begins another log.
func TestFeed_ARosterThatIsHalfChangedIsReadAnew(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusDialing)
		f, release := s.watch()
		defer release()
		before := f.State()
		f.BreakRoster()
		s.hub.Begin(key()).Done(participant.Write{Kind: participant.WriteRemove, Item: participant.Item{
			Participant: participant.Participant{ID: "a"},
		}})
		if f.State() != before {
			t.Error("a write changed a roster that is half changed")
		}
		s.Set("b", participant.StatusDialing)
		s.after(1100 * time.Millisecond)
		state := f.State()
		if state.Position.Epoch == before.Position.Epoch || state.Total != 2 || state.Stale {
			t.Errorf("same log %v, total %d, stale %v", state.Position.Epoch == before.Position.Epoch, state.Total, state.Stale)
		}
		s.Set("c", participant.StatusDialing)
		s.after(1100 * time.Millisecond)
		if _, kept := f.State().After(state.Position); !kept {
			t.Error("another log was begun, though all is well")
		}
	})
}
