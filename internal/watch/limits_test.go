package watch_test

import (
	"context"
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

// refused checks that a subscription is refused and is not counted.
func (h *harness) refused(request watch.Request, want apierror.Reason) *apierror.Error {
	h.t.Helper()
	before := h.watcher.Subscribers()
	request.Account, request.Heartbeat = h.Upstream, time.Minute
	_, err := h.watcher.Subscribe(context.Background(), request)
	if apierror.ReasonOf(err) != want {
		h.t.Errorf("got %v, want %s", err, want)
	}
	if after := h.watcher.Subscribers(); after != before {
		h.t.Errorf("%d subscribers, before it %d", after, before)
	}
	refusal, _ := errors.AsType[*apierror.Error](err)
	return refusal
}

// pair returns one of many different filters.
func pair(n int) participant.Filter {
	return participant.NewFilter(nil, nil, []string{"part_x", fmt.Sprint("part_", n)})
}

func TestW17_ConferenceHasAtMost64Filters(t *testing.T) {
	run(t, history, func(h *harness) {
		var clients []*client
		for n := range 64 {
			clients = append(clients, h.watch(watch.Request{Filter: pair(n)}))
		}
		refusal := h.refused(watch.Request{Conference: "conf", Filter: pair(64)}, apierror.TooManyFilters)
		if refusal != nil && refusal.RetryAfter <= 0 {
			t.Error("the refusal has no RetryAfter")
		}
		h.refused(watch.Request{Conference: "conf"}, apierror.TooManyFilters)

		shared := h.watch(watch.Request{Filter: pair(7)})
		other := h.watch(watch.Request{Conference: "other", Filter: pair(64)})
		clients[0].subscription.Close()
		late := h.watch(watch.Request{Filter: pair(64)})
		for _, c := range append(clients[1:], shared, other, late) {
			c.expect("initial")
			c.subscription.Close()
		}
	})
}

func TestW17_FiltersOnASingleParticipantDoNotCount(t *testing.T) {
	run(t, history, func(h *harness) {
		one := func(n int, statuses ...participant.Status) participant.Filter {
			return participant.NewFilter(statuses, nil, []string{fmt.Sprint("part_", n)})
		}
		clients := []*client{}
		for n := range 100 {
			clients = append(clients, h.watch(watch.Request{Filter: one(n)}), h.watch(watch.Request{Filter: one(n, connected)}))
		}
		for n := range 64 {
			clients = append(clients, h.watch(watch.Request{Filter: pair(n)}))
		}
		h.refused(watch.Request{Conference: "conf", Filter: pair(64)}, apierror.TooManyFilters)
		for _, c := range clients[:200] {
			c.subscription.Close()
		}
		h.refused(watch.Request{Conference: "conf", Filter: pair(64)}, apierror.TooManyFilters)
		for _, c := range clients[200:] {
			c.expect("initial")
			c.subscription.Close()
		}
	})
}

func TestW12_SubscribersAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := feed.NewHub(feed.Options{
			PollInterval: time.Second, MaxPollInterval: time.Second, History: history, MaxFeeds: 2, Logger: slog.New(slog.DiscardHandler),
		})
		defer hub.Close()
		h := &harness{Upstream: feedtest.New(), t: t, hub: hub, watcher: watch.NewWatcher(hub, watch.Limits{Subscribers: 3})}
		first := h.watch(watch.Request{Conference: "a"})
		second := h.watch(watch.Request{Conference: "b"})
		h.refused(watch.Request{Conference: "c"}, apierror.TooManyConferences)
		third := h.watch(watch.Request{Conference: "b"})
		h.refused(watch.Request{Conference: "b"}, apierror.TooManySubscribers)

		first.subscription.Close()
		fourth := h.watch(watch.Request{Conference: "b"})
		for _, c := range []*client{second, third, fourth} {
			c.expect("initial")
			c.subscription.Close()
		}
	})
}
