package watch_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

// wakes counts how often a subscriber without a goroutine is woken.
type wakes struct {
	t     *testing.T
	count atomic.Int64
	stop  func()
}

func (h *harness) countWakes(filter participant.Filter) *wakes {
	h.t.Helper()
	c := h.watch(watch.Request{Filter: filter})
	if _, err := c.next(); err != nil {
		h.t.Fatal(err)
	}
	w := &wakes{t: h.t}
	stop := c.subscription.Notify(func() { w.count.Add(1) })
	w.stop = func() {
		stop()
		c.subscription.Close()
	}
	synctest.Wait() // The first list wakes all, this one perhaps after its first message.
	w.count.Store(0)
	return w
}

func (w *wakes) expect(what string, want int64) {
	w.t.Helper()
	synctest.Wait()
	if got := w.count.Swap(0); got != want {
		w.t.Errorf("%s: woken %d times, want %d", what, got, want)
	}
}

// TestW14_AChangeWakesOnlyThoseWhoseFilterShowsIt has subscribers of all, of a status and of single
// participants.
func TestW14_AChangeWakesOnlyThoseWhoseFilterShowsIt(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", connected)
		h.Set("b", connected)
		all, status := h.countWakes(participant.Filter{}), h.countWakes(only(held))
		idA := h.countWakes(participant.NewFilter(nil, nil, []string{"a"}))
		heldA := h.countWakes(participant.NewFilter([]participant.Status{held}, nil, []string{"a"}))
		idB, both := h.countWakes(participant.NewFilter(nil, nil, []string{"b"})), h.countWakes(participant.NewFilter(nil, nil, []string{"a", "b"}))
		subscribers := []*wakes{all, status, idA, heldA, idB, both}
		for _, step := range []struct {
			what   string
			change func()
			want   [6]int64
		}{
			{"another status", func() { h.Set("a", disconnected) }, [...]int64{1, 0, 1, 0, 0, 1}},
			{"into the filter", func() { h.Set("a", held) }, [...]int64{1, 1, 1, 1, 0, 1}},
			{"out of the filter", func() { h.Set("a", connected) }, [...]int64{1, 1, 1, 1, 0, 1}},
			{"both", func() { h.Set("a", dialing); h.Set("b", held) }, [...]int64{1, 1, 1, 0, 1, 1}},
			{"removed", func() { h.Remove("b") }, [...]int64{1, 1, 0, 0, 1, 1}},
			{"added", func() { h.Set("c", connected) }, [...]int64{1, 0, 0, 0, 0, 0}},
			{"nothing", func() {}, [...]int64{0, 0, 0, 0, 0, 0}},
		} {
			step.change()
			h.advance(6 * time.Second)
			for i, w := range subscribers {
				w.expect(fmt.Sprintf("%s, subscriber %d", step.what, i), step.want[i])
			}
		}
		for _, w := range subscribers {
			w.stop()
		}
	})
}

func TestW10_AnOutageAndItsEndWakeAll(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", connected)
		w := h.countWakes(only(held))
		defer w.stop()
		h.Fail(&apierror.Error{Reason: apierror.UpstreamTimeout})
		h.advance(15 * time.Second)
		w.expect("outage", 1)
		h.Fail(nil)
		h.advance(15 * time.Second)
		w.expect("recovery", 1)
		h.Set("a", dialing)
		h.advance(6 * time.Second)
		w.expect("hidden change", 0)
		h.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		h.advance(15 * time.Second)
		if w.count.Load() == 0 {
			t.Error("the end woke nobody")
		}
	})
}

// TestW14_NextWakesOnlyForWhatTheFilterShows is the same for subscribers with a goroutine.
func TestW14_NextWakesOnlyForWhatTheFilterShows(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", connected)
		c := h.watch(watch.Request{Filter: only(held), Heartbeat: time.Minute})
		defer c.subscription.Close()
		c.expect("initial")
		ctx, cancel := context.WithTimeout(h.t.Context(), time.Second)
		defer cancel()
		if _, err := c.subscription.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		c.subscription.Woken()
		h.Set("a", dialing)
		h.advance(6 * time.Second)
		if c.subscription.Woken() {
			t.Error("woken for a change that the filter hides")
		}
		h.Set("a", held)
		h.advance(6 * time.Second)
		if !c.subscription.Woken() {
			t.Error("not woken for a change that the filter shows")
		}
		c.expect("+a(dialing>held)")
	})
}

// TestW12_HiddenChangesMakeNobodyLag has a history of two changes, and many hidden ones.
func TestW12_HiddenChangesMakeNobodyLag(t *testing.T) {
	for _, shown := range []int{0, 1, 2} {
		t.Run(fmt.Sprint(shown, " shown"), func(t *testing.T) {
			run(t, 2, func(h *harness) {
				h.Set("a", connected)
				h.Set("b", connected)
				c := h.watch(watch.Request{Filter: only(held), Heartbeat: time.Minute})
				defer c.subscription.Close()
				c.expect("initial")
				for i := range 8 {
					h.Set("a", []participant.Status{dialing, connected}[i%2])
					h.advance(5 * time.Second)
				}
				for i := range shown {
					h.Set("b", []participant.Status{held, connected}[i])
					h.advance(5 * time.Second)
				}
				for _, want := range []string{"+b(connected>held)", "~b(held>connected)"}[:shown] {
					c.expect(want)
				}
				c.expect("fresh")
			})
		})
	}
}

// TestW12_ShownChangesMakeALateReaderLag has a subscriber who reads nothing while the history passes.
func TestW12_ShownChangesMakeALateReaderLag(t *testing.T) {
	run(t, 2, func(h *harness) {
		h.Set("a", connected)
		h.Set("b", connected)
		c := h.watch(watch.Request{Filter: only(held), Heartbeat: time.Minute})
		defer c.subscription.Close()
		c.expect("initial")
		h.Set("b", held)
		h.advance(5 * time.Second)
		for i := range 5 {
			h.Set("a", []participant.Status{dialing, connected}[i%2])
			h.advance(5 * time.Second)
		}
		c.expect("lagged b(held)")
	})
}

// TestW02_PositionsAndCountsAmongHiddenChanges lets clients with several filters read at random times. Each
// holds what its filter shows, and its checkpoints have the totals of their position.
func TestW02_PositionsAndCountsAmongHiddenChanges(t *testing.T) {
	for seed := range uint64(30) {
		run(t, 6, func(h *harness) { newReaders(h, rand.New(rand.NewPCG(seed, 0))).run() })
	}
}

// readers are clients with several filters. The first one has none, and reads at once.
type readers struct {
	*harness

	random  *rand.Rand
	filters []participant.Filter
	clients []*client
	// totals are those of each position.
	totals map[uint64]watch.Counts
}

func newReaders(h *harness, random *rand.Rand) *readers {
	return &readers{harness: h, random: random, totals: map[uint64]watch.Counts{}, filters: []participant.Filter{
		{},
		only(held),
		only(dialing, held),
		participant.NewFilter(nil, nil, []string{"a"}),
		participant.NewFilter([]participant.Status{held}, nil, []string{"b"}),
	}}
}

func (r *readers) run() {
	r.t.Helper()
	ids, statuses := []string{"a", "b", "c"}, []participant.Status{dialing, connected, held, disconnected}
	for _, id := range ids {
		r.Set(id, connected)
	}
	for _, filter := range r.filters {
		r.clients = append(r.clients, r.watch(watch.Request{Filter: filter, Heartbeat: 5 * time.Second}))
	}
	defer func() {
		for _, c := range r.clients {
			c.subscription.Close()
		}
	}()
	for range 60 {
		id := ids[r.random.IntN(len(ids))]
		r.Set(id, statuses[r.random.IntN(len(statuses))])
		if r.random.IntN(5) == 0 {
			r.Remove(id)
		}
		r.advance(time.Duration(r.random.IntN(4)) * time.Second)
		r.readAll(r.clients[0], len(r.totals)+100)
		for _, c := range r.clients[1:] {
			r.readAll(c, r.random.IntN(4))
		}
	}
	for _, c := range r.clients {
		r.readAll(c, 100)
	}
	r.expectHeld()
}

// readAll reads all messages that are due, but at most some.
func (r *readers) readAll(c *client, atMost int) {
	r.t.Helper()
	for range atMost {
		message, err := c.subscription.Poll()
		if err != nil {
			r.t.Fatal(err)
		}
		if message == nil {
			return
		}
		c.apply(message)
		if seq := watch.SeqOf(message.Token); c == r.clients[0] {
			r.totals[seq] = totalsOf(c)
		} else {
			r.expectTotals(message, seq)
		}
	}
}

func totalsOf(c *client) (totals watch.Counts) {
	for _, p := range c.held {
		totals.Total++
		if p.Status.Active() {
			totals.Active++
		}
	}
	return totals
}

func (r *readers) expectTotals(m *watch.Message, seq uint64) {
	r.t.Helper()
	if m.Checkpoint == nil || m.Checkpoint.Counts == nil {
		return
	}
	want, known := r.totals[seq]
	if got := *m.Checkpoint.Counts; known && (got.Total != want.Total || got.Active != want.Active) {
		r.t.Errorf("position %d: got %+v, want %+v", seq, got, want)
	}
}

// expectHeld compares what the clients hold with what the first one holds.
func (r *readers) expectHeld() {
	r.t.Helper()
	for i, c := range r.clients {
		want := map[string]participant.Status{}
		for id, p := range r.clients[0].held {
			if r.filters[i].Match(p) {
				want[id] = p.Status
			}
		}
		got := map[string]participant.Status{}
		for id, p := range c.held {
			got[id] = p.Status
		}
		if !maps.Equal(got, want) {
			r.t.Errorf("%+v: holds %v, want %v", r.filters[i], got, want)
		}
	}
}
