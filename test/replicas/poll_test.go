package replicas_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// leaseLife is how long a lease lasts that nobody renews.
const leaseLife = 2400 * time.Millisecond

// conferenceNames returns n names.
func conferenceNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("conf_%d", i)
	}
	return names
}

// watchEach opens a watcher of each conference at each replica, and waits until all are fresh.
func (c *cluster) watchEach(conferences []string, replicas ...*replica) (watchers []*watcher) {
	c.t.Helper()
	for i, conference := range conferences {
		for n := range replicas {
			watchers = append(watchers, c.watch(replicas[(i+n)%len(replicas)], conference))
		}
	}
	c.awaitFresh(watchers...)
	return watchers
}

func (c *cluster) awaitFresh(watchers ...*watcher) {
	c.t.Helper()
	for _, w := range watchers {
		w.await("is fresh", w.isFresh)
	}
}

// TestR01_OnePoll compares the lists of three replicas with those of one process.
func TestR01_OnePoll(t *testing.T) {
	t.Parallel()
	const lists = 12
	conferences := conferenceNames(5)
	one, three := start(t, 1, options{alone: true}), start(t, 3, options{})
	one.watchEach(conferences, one.replicas...)
	three.watchEach(conferences, three.replicas...)
	began := time.Now()
	for _, conference := range conferences {
		eventually(t, "one process lists "+conference, func() bool {
			return len(one.upstream.lists(conference, began)) >= lists
		})
	}
	polls := map[int]int{}
	for _, conference := range conferences {
		want, found := len(one.upstream.lists(conference, began)), three.upstream.lists(conference, began)
		if len(found) > want+2 || len(found) < want-3 {
			t.Errorf("%s: %d lists by three replicas, %d by one process", conference, len(found), want)
		}
		pollers := three.upstream.pollers(conference, began)
		if len(pollers) != 1 {
			t.Errorf("%s: polled by %v", conference, pollers)
		}
		polls[pollers[0]]++
		for i, list := range found[1:] {
			if ended := found[i].ended; ended.IsZero() || list.began.Before(ended) {
				t.Errorf("%s: two lists at once", conference)
			}
		}
	}
	for n := range three.replicas {
		if polls[n] == 0 {
			t.Errorf("conferences by the replica that polls them: %v", polls)
		}
	}
}

// TestR01_PollingEndsWithTheLastWatcher kills the replica of the last watcher while another
// replica lingers.
func TestR01_PollingEndsWithTheLastWatcher(t *testing.T) {
	t.Parallel()
	const conference, linger = "conf_last", time.Second
	c := start(t, 3, options{flags: []string{"--linger=" + linger.String()}})
	watchers := c.watchEach([]string{conference}, c.replicas[0], c.replicas[1])
	watchers[1].close()
	c.replicas[0].kill()
	killed := time.Now()
	<-time.After(leaseLife + linger + 6*interval)
	lists := c.upstream.lists(conference, killed)
	if len(lists) == 0 {
		return
	}
	after := lists[len(lists)-1].began.Sub(killed)
	if after > leaseLife+linger+2*interval+stalls.since(killed) {
		t.Errorf("a list %s after the replica of the last watcher was killed", after)
	}
}

// TestR04_HandOver stops the replica that polls four conferences.
func TestR04_HandOver(t *testing.T) {
	t.Parallel()
	conferences := conferenceNames(4)
	c := start(t, 3, options{})
	leaving := c.replicas[0]
	moving := c.watchEach(conferences, leaving)
	staying := c.watchEach(conferences, c.replicas[1:]...)
	began := time.Now()
	for _, conference := range conferences {
		eventually(t, "lists of "+conference, func() bool { return len(c.upstream.lists(conference, began)) >= 2 })
		if pollers := c.upstream.pollers(conference, began); !slices.Equal(pollers, []int{0}) {
			t.Errorf("%s: polled by %v, but there is no rebalancing", conference, pollers)
		}
		c.upstream.join(conference, 1)
	}
	stopped := time.Now()
	leaving.terminate()
	taken := map[int]int{}
	for _, conference := range conferences {
		next := c.nextList(conference, 0, stopped)
		taken[next.replica]++
		before := c.lastListOf(conference, next.began)
		if after := next.began.Sub(stopped); after > interval+300*time.Millisecond+stalls.since(stopped) {
			t.Errorf("%s: the next list came %s after SIGTERM, and %s after the last list", conference, after, next.began.Sub(before.began))
		}
	}
	if taken[1]*taken[2] != 4 && stalls.since(stopped) < time.Second {
		t.Errorf("leases taken by replica: %v, want 2 each", taken)
	}
	<-leaving.exited
	if code := leaving.command.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for i, w := range moving {
		w.move(c.replicas[1+i%2])
		c.upstream.join(w.conference, 2)
	}
	c.converge()
	for _, w := range staying {
		expectFresh(t, w, stopped)
	}
}

// nextList waits for the first list after a time by another replica than one.
func (c *cluster) nextList(conference string, than int, after time.Time) (next request) {
	c.t.Helper()
	eventually(c.t, "another replica lists "+conference, func() bool {
		for _, list := range c.upstream.lists(conference, after) {
			if list.replica != than {
				next = list
				return true
			}
		}
		return false
	})
	return next
}

// lastListOf returns the last list that began before a time.
func (c *cluster) lastListOf(conference string, before time.Time) (last request) {
	for _, list := range c.upstream.lists(conference, time.Time{}) {
		if list.began.Before(before) {
			last = list
		}
	}
	return last
}
