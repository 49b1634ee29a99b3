package replicas_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// takeoverWithin is R3's time; the rest is for a slow machine.
const takeoverWithin = 3*time.Second + interval + 500*time.Millisecond

// TestR03_Takeover makes the replica that polls fail in each way.
func TestR03_Takeover(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ fail, recover func(*replica) }{
		"killed": {func(r *replica) { r.kill() }, func(r *replica) { r.restart() }},
		"hangs":  {func(r *replica) { r.stop() }, func(r *replica) { r.resume() }},
		"is cut off": {
			func(r *replica) { r.network.Cut() }, func(r *replica) { r.network.Restore() },
		},
		"gets no answers": {
			func(r *replica) { r.network.Stall() }, func(r *replica) { r.network.Restore() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const conference = "conf_takeover"
			c := start(t, 3, options{simulator: still})
			watchers := c.watchEach([]string{conference}, c.replicas...)
			failing := c.replicas[c.upstream.poller(conference)]
			failed := time.Now()
			test.fail(failing)
			joined := c.upstream.join(conference, 1)
			next := c.nextList(conference, failing.number, failed)
			if took := next.began.Sub(failed); took > takeoverWithin+stalls.since(failed) {
				t.Errorf("another replica polled after %s", took)
			}
			var there *watcher
			for _, w := range watchers {
				if w.stream.replica == failing {
					there = w
					continue
				}
				w.await("holds who joined", func() bool { return w.holds(joined) })
			}
			c.upstream.RemoveParticipant(conference, joined)
			c.upstream.join(conference, 2)
			test.recover(failing)
			if there.stream.process != failing.process {
				there.move(failing)
			}
			c.converge()
			recovered := time.Now()
			eventually(t, "more lists", func() bool { return len(c.upstream.lists(conference, recovered)) > 2 })
			if pollers := c.upstream.pollers(conference, recovered); len(pollers) != 1 {
				t.Errorf("afterwards polled by %v", pollers)
			}
		})
	}
}

// TestR03_AllConferencesAreTakenOver kills a replica that polls many conferences: those that are left
// share them.
func TestR03_AllConferencesAreTakenOver(t *testing.T) {
	t.Parallel()
	conferences := conferenceNames(30)
	c := start(t, 3, options{simulator: still})
	c.watchEach(conferences, c.replicas[0])
	staying := c.watchEach(conferences, c.replicas[1:]...)
	failed := time.Now()
	c.replicas[0].kill()
	taken := map[int]int{}
	for _, conference := range conferences {
		next := c.nextList(conference, 0, failed)
		taken[next.replica]++
		if took := next.began.Sub(failed); took > takeoverWithin+stalls.since(failed) {
			t.Errorf("%s was polled after %s", conference, took)
		}
		c.upstream.join(conference, 1)
	}
	if taken[1] < 8 || taken[2] < 8 {
		t.Errorf("leases taken by replica: %v", taken)
	}
	c.converge()
	for _, w := range staying {
		expectFresh(t, w, failed)
	}
}

// TestR03_AnOldListIsRefused stops the replica that polls while a list is on its way, which it
// gets when another has long taken over.
func TestR03_AnOldListIsRefused(t *testing.T) {
	t.Parallel()
	const conference = "conf_old"
	c := start(t, 3, options{simulator: still})
	leaves := c.upstream.join(conference, 1)
	watchers := c.watchEach([]string{conference}, c.replicas...)
	old := c.holdList(conference)
	old.stop()
	joined := c.upstream.join(conference, 2)
	c.upstream.RemoveParticipant(conference, leaves)
	for _, w := range watchers {
		if w.stream.replica != old {
			w.await("has the changes", func() bool { return w.holds(joined) && !w.holds(leaves) })
		}
	}
	old.resume()
	resumed := time.Now()
	eventually(t, "two more lists", func() bool { return len(c.upstream.lists(conference, resumed)) > 2 })
	c.converge()
	for _, w := range watchers {
		w.expectKinds(joined, "added")
		w.expectKinds(leaves, "removed")
	}
}

// holdList holds the answer of the next list for a second after it was made, and returns the
// replica that waits for it.
func (c *cluster) holdList(conference string) *replica {
	c.t.Helper()
	began := time.Now()
	c.upstream.Inject(simulator.Fault{
		Kind: simulator.FaultLate, Operation: simulator.List, Conference: conference, Times: 1, Latency: time.Second,
	})
	var held request
	eventually(c.t, "a list is held", func() bool {
		for _, list := range c.upstream.lists(conference, began) {
			if list.ended.IsZero() && time.Since(list.began) > 100*time.Millisecond {
				held = list
				return true
			}
		}
		return false
	})
	return c.replicas[held.replica]
}

// kindsOf returns the kinds of the changes of a participant that the watcher received, without
// those of a status.
func (w *watcher) kindsOf(id string) (kinds []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.received {
		if m.Changes == nil {
			continue
		}
		for _, change := range m.Changes.Changes {
			if change.Member.ID == id && change.Kind != "updated" {
				kinds = append(kinds, change.Kind)
			}
		}
	}
	return kinds
}

// expectKinds fails the test unless the only change of a participant, statuses aside, was of a kind.
func (w *watcher) expectKinds(id, kind string) {
	w.cluster.t.Helper()
	if kinds := w.kindsOf(id); len(kinds) != 1 || kinds[0] != kind {
		w.cluster.t.Errorf("%s received for %s: %v, want %s", w, id, kinds, kind)
	}
}

// TestR03_WindowsMoveWithTheLease kills the replica that polls after an add and a remove which
// lists do not show yet.
func TestR03_WindowsMoveWithTheLease(t *testing.T) {
	t.Parallel()
	const conference, lag = "conf_windows", 4500 * time.Millisecond
	lagging := still
	lagging.ListLag = lag
	c := start(t, 3, options{simulator: lagging})
	leaves := c.upstream.join(conference, 1)
	watchers := c.watchEach([]string{conference}, c.replicas...)
	poller := c.upstream.poller(conference)
	writer := c.others(poller)[0]
	added, err := writer.add(conference, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.remove(conference, leaves); err != nil {
		t.Fatal(err)
	}
	written := time.Now()
	for _, w := range watchers {
		w.await("has the writes", func() bool { return w.holds(added.GetId()) && !w.holds(leaves) })
	}
	c.replicas[poller].kill()
	next := c.nextList(conference, poller, written)
	if next.began.Sub(written) > lag {
		t.Logf("the next list was too late to lag: %s", next.began.Sub(written))
	}
	eventually(t, "lists after the lag", func() bool { return len(c.upstream.lists(conference, written.Add(lag+time.Second))) > 2 })
	c.converge()
	for _, w := range watchers {
		if w.stream.replica.number != poller {
			w.expectKinds(added.GetId(), "added")
			w.expectKinds(leaves, "removed")
		}
	}
}

// TestR07_WritesReachAllWatchersAtOnce writes through each replica, also one without a watcher,
// while no list is due.
func TestR07_WritesReachAllWatchersAtOnce(t *testing.T) {
	t.Parallel()
	const conference = "conf_writes"
	c := start(t, 3, options{simulator: still, flags: []string{"--poll-interval=60s", "--max-poll-interval=60s"}})
	id := c.upstream.join(conference, 1)
	watchers := c.watchEach([]string{conference}, c.replicas[:2]...)
	atOnce := func(what string, condition func(w *watcher) bool) {
		t.Helper()
		for _, w := range watchers {
			eventually(t, w.String()+" "+what, func() bool { return condition(w) })
		}
	}
	for n, r := range c.replicas {
		added, err := r.add(conference, n, "")
		if err != nil {
			t.Fatal(err)
		}
		atOnce("has the add", func(w *watcher) bool { return w.holds(added.GetId()) })
		r.control(conference, id, "mute")
		atOnce("has the mute", func(w *watcher) bool { return w.muted(id) })
		r.control(conference, id, "unmute")
		atOnce("has the unmute", func(w *watcher) bool { return !w.muted(id) })
		if err := r.remove(conference, added.GetId()); err != nil {
			t.Fatal(err)
		}
		atOnce("has the remove", func(w *watcher) bool { return !w.holds(added.GetId()) })
	}
}

// control makes a control over REST.
func (r *replica) control(conference, id, name string) {
	t := r.cluster.t
	t.Helper()
	target := "http://" + r.HTTPAddr + "/v2/conferences/" + conference + "/participants/" + id + "/" + name
	response, err := r.HTTP.Post(target, "application/json", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", name, response.Status)
	}
}

func (w *watcher) muted(id string) bool {
	return w.state().held[id].Muted
}

// TestR07_WritesWinOverAListElsewhere writes through another replica than the one whose list is
// on its way.
func TestR07_WritesWinOverAListElsewhere(t *testing.T) {
	t.Parallel()
	const conference = "conf_wins"
	c := start(t, 3, options{simulator: still})
	leaves, muted := c.upstream.join(conference, 1), c.upstream.join(conference, 2)
	watchers := c.watchEach([]string{conference}, c.replicas...)
	poller := c.holdList(conference)
	others := c.others(poller.number)
	added, err := others[0].add(conference, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := others[1].remove(conference, leaves); err != nil {
		t.Fatal(err)
	}
	others[1].control(conference, muted, "mute")
	written := time.Now()
	eventually(t, "two more lists", func() bool { return len(c.upstream.lists(conference, written)) > 2 })
	c.converge()
	for _, w := range watchers {
		w.expectKinds(added.GetId(), "added")
		w.expectKinds(leaves, "removed")
		if updates := w.updatesOf(muted); updates != 1 {
			t.Errorf("%s received %d updates of who was muted", w, updates)
		}
	}
}

// updatesOf returns how many updates of a participant the watcher received.
func (w *watcher) updatesOf(id string) (updates int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.received {
		if m.Changes == nil {
			continue
		}
		for _, change := range m.Changes.Changes {
			if change.Member.ID == id && change.Kind == "updated" {
				updates++
			}
		}
	}
	return updates
}
