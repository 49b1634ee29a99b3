package watch_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

// refused says that a subscription cannot be opened, and leaves nothing behind.
func (s *scene) refused(request watch.Request, want apierror.Reason) *apierror.Error {
	s.t.Helper()
	before := s.watcher.Subscribers()
	request.Account, request.Heartbeat = s.Upstream, time.Minute
	_, err := s.watcher.Subscribe(request)
	if apierror.ReasonOf(err) != want {
		s.t.Errorf("got %v, want %s", err, want)
	}
	if after := s.watcher.Subscribers(); after != before {
		s.t.Errorf("%d subscribers, before it %d", after, before)
	}
	refusal, _ := errors.AsType[*apierror.Error](err)
	return refusal
}

// pair is one of many different filters.
func pair(n int) participant.Filter {
	return participant.NewFilter(nil, nil, []string{"part_x", fmt.Sprint("part_", n)})
}

func TestW17_AConferenceHas64FiltersAtMost(t *testing.T) {
	play(t, history, func(s *scene) {
		var clients []*client
		for n := range 64 {
			clients = append(clients, s.watch(watch.Request{Filter: pair(n)}))
		}
		refusal := s.refused(watch.Request{Conference: "conf", Filter: pair(64)}, apierror.TooManyFilters)
		if refusal != nil && refusal.RetryAfter <= 0 {
			t.Error("the refusal invites no retry")
		}
		s.refused(watch.Request{Conference: "conf"}, apierror.TooManyFilters)

		shared := s.watch(watch.Request{Filter: pair(7)})
		other := s.watch(watch.Request{Conference: "other", Filter: pair(64)})
		clients[0].subscription.Close()
		late := s.watch(watch.Request{Filter: pair(64)})
		for _, c := range append(clients[1:], shared, other, late) {
			c.expect("initial")
			c.subscription.Close()
		}
	})
}

func TestW17_FiltersOnASingleParticipantDoNotCount(t *testing.T) {
	play(t, history, func(s *scene) {
		one := func(n int, statuses ...participant.Status) participant.Filter {
			return participant.NewFilter(statuses, nil, []string{fmt.Sprint("part_", n)})
		}
		clients := []*client{}
		for n := range 100 {
			clients = append(clients, s.watch(watch.Request{Filter: one(n)}), s.watch(watch.Request{Filter: one(n, connected)}))
		}
		for n := range 64 {
			clients = append(clients, s.watch(watch.Request{Filter: pair(n)}))
		}
		s.refused(watch.Request{Conference: "conf", Filter: pair(64)}, apierror.TooManyFilters)
		for _, c := range clients[:200] {
			c.subscription.Close()
		}
		s.refused(watch.Request{Conference: "conf", Filter: pair(64)}, apierror.TooManyFilters)
		for _, c := range clients[200:] {
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
		s.refused(watch.Request{Conference: "c"}, apierror.TooManyConferences)
		third := s.watch(watch.Request{Conference: "b"})
		s.refused(watch.Request{Conference: "b"}, apierror.TooManySubscribers)

		first.subscription.Close()
		fourth := s.watch(watch.Request{Conference: "b"})
		for _, c := range []*client{second, third, fourth} {
			c.expect("initial")
			c.subscription.Close()
		}
	})
}
