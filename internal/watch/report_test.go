package watch_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

// only returns the report of the one feed.
func (h *harness) only() watch.Report {
	h.t.Helper()
	reports := slices.Collect(maps.Values(h.watcher.Reports()))
	if len(reports) != 1 {
		h.t.Fatalf("%d reports", len(reports))
	}
	return reports[0]
}

func TestReports_CountSubscribersAndFilters(t *testing.T) {
	run(t, 100, func(h *harness) {
		h.Set("a", connected)
		held := participant.NewFilter([]participant.Status{"held"}, nil, nil)
		clients := []*client{
			h.watch(watch.Request{}), h.watch(watch.Request{}), h.watch(watch.Request{Filter: held}),
			h.watch(watch.Request{Filter: participant.NewFilter(nil, nil, []string{"a"})}),
		}
		if _, err := clients[0].next(); err != nil {
			t.Fatal(err)
		}
		got := h.only()
		if got.Subscribers != 4 || len(got.Filters) != 2 || got.Single != 1 || got.Bytes == 0 {
			t.Errorf("got %+v", got)
		}
		for _, filter := range got.Filters {
			if want := map[bool]int{true: 2, false: 1}[filter.Filter.MatchesAll()]; filter.Subscribers != want {
				t.Errorf("%+v, want %d subscribers", filter, want)
			}
		}
		for _, c := range clients {
			c.subscription.Close()
		}
		if reports := h.watcher.Reports(); len(reports) != 0 || len(h.watcher.Subscriptions()) != 0 {
			t.Errorf("after the last one: %+v", reports)
		}
	})
}

func TestSubscriptions_TellHowFarAClientIsBehind(t *testing.T) {
	run(t, 100, func(h *harness) {
		h.Set("a", connected)
		c := h.watch(watch.Request{Stream: 7})
		defer c.subscription.Close()
		report := func() watch.SubscriptionReport { return h.watcher.Subscriptions()[0] }
		if got := report(); got.Opened || got.Behind != 0 || got.Stream != 7 || got.Key.Conference != "conf" {
			t.Errorf("before the snapshot: %+v", got)
		}
		read := func() {
			t.Helper()
			if _, err := c.next(); err != nil {
				t.Fatal(err)
			}
		}
		read()
		first := report()
		if !first.Opened || first.Behind != 0 {
			t.Errorf("after the snapshot: %+v", first)
		}
		for _, status := range []participant.Status{held, connected, held} {
			h.Set("a", status)
			h.advance(2 * time.Second)
		}
		if got := report(); got.Behind != 3 || got.Seq != first.Seq {
			t.Errorf("after three changes: %+v", got)
		}
		read()
		if got := report(); got.Behind != 2 || got.Seq != first.Seq+1 {
			t.Errorf("after one message: %+v", got)
		}
	})
}
