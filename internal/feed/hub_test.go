package feed_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

func TestW12_AHubHoldsSoManyFeeds(t *testing.T) {
	play(t, feed.Options{MaxFeeds: 2}, func(s *scene) {
		_, release := s.acquire("a")
		_, releaseAgain := s.acquire("a") // Those who watch it already make it no more.
		_, releaseB := s.acquire("b")
		defer releaseB()
		if _, _, err := s.hub.Acquire(s.Upstream, "c"); participant.ReasonOf(err) != participant.TooManyConferences {
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
		s.Fail(&participant.Error{Reason: participant.ConferenceNotFound, UpstreamStatus: 404, VendorShaped: true})
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
