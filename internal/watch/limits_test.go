package watch_test

import (
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

// refused says that a subscription cannot be opened, and leaves nothing behind.
func (s *scene) refused(request watch.Request, want participant.Reason) {
	s.t.Helper()
	before := s.watcher.Subscribers()
	request.Account, request.Heartbeat = s.Upstream, time.Minute
	if _, err := s.watcher.Subscribe(request); participant.ReasonOf(err) != want {
		s.t.Errorf("got %v, want %s", err, want)
	}
	if after := s.watcher.Subscribers(); after != before {
		s.t.Errorf("%d subscribers, before it %d", after, before)
	}
}

func someone(n int) participant.Filter {
	return participant.NewFilter(nil, nil, []string{fmt.Sprint("part_", n)})
}

func TestW12_AConferenceHas64FiltersAtMost(t *testing.T) {
	play(t, history, func(s *scene) {
		var clients []*client
		for n := range 64 {
			clients = append(clients, s.watch(watch.Request{Filter: someone(n)}))
		}
		s.refused(watch.Request{Conference: "conf", Filter: someone(64)}, participant.TooManyFilters)

		shared := s.watch(watch.Request{Filter: someone(7)})
		other := s.watch(watch.Request{Conference: "other", Filter: someone(64)})
		clients[0].subscription.Close()
		late := s.watch(watch.Request{Filter: someone(64)})
		for _, c := range append(clients[1:], shared, other, late) {
			c.expect("initial")
			c.subscription.Close()
		}
	})
}

func TestW12_ThereAreSoManySubscribers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := feed.NewHub(feed.Options{
			PollInterval: time.Second, MaxPollInterval: time.Second, History: history, MaxFeeds: 2, Logger: slog.New(slog.DiscardHandler),
		})
		defer hub.Close()
		s := &scene{Upstream: feedtest.New(), t: t, hub: hub, watcher: watch.NewWatcher(hub, watch.Limits{Subscribers: 3})}
		first := s.watch(watch.Request{Conference: "a"})
		second := s.watch(watch.Request{Conference: "b"})
		s.refused(watch.Request{Conference: "c"}, participant.TooManyConferences)
		third := s.watch(watch.Request{Conference: "b"})
		s.refused(watch.Request{Conference: "b"}, participant.TooManySubscribers)

		first.subscription.Close()
		fourth := s.watch(watch.Request{Conference: "b"})
		for _, c := range []*client{second, third, fourth} {
			c.expect("initial")
			c.subscription.Close()
		}
	})
}
