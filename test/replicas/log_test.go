package replicas_test

import (
	"slices"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// changesAfter returns the tokens of the changes after a position, of all that the watcher received.
func (w *watcher) changesAfter(token string) (tokens []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	passed := false
	for _, m := range w.received {
		if m.Changes != nil && passed {
			tokens = append(tokens, m.Token)
		}
		passed = passed || m.Token == token
	}
	return tokens
}

// churn makes changes of a conference of all kinds: by lists, and by writes at each replica.
func (c *cluster) churn(conference string, n int) {
	c.t.Helper()
	first, second := c.upstream.join(conference, n), c.upstream.join(conference, n+1)
	c.converge()
	c.upstream.SetStatus(conference, first, "held")
	for i, r := range c.replicas {
		added, err := r.add(conference, n+i, "")
		if err != nil {
			c.t.Fatal(err)
		}
		if i == 0 {
			if err := r.remove(conference, added.GetId()); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	c.converge()
	c.upstream.RemoveParticipant(conference, second)
	c.converge()
}

// still are participants who change only when the test changes them.
var still = simulator.Options{Behaviour: simulator.Still, MaxParticipants: 1000}

func TestR02_OneLog(t *testing.T) {
	t.Parallel()
	const conference = "conf_log"
	c := start(t, 3, options{simulator: still})
	var watchers []*watcher
	for range 2 { // One for each transport.
		watchers = append(watchers, c.watchEach([]string{conference}, c.replicas...)...)
	}
	begin := watchers[0].state().token
	began := time.Now()
	c.churn(conference, 10)
	want := watchers[0].changesAfter(begin)
	if len(want) < 5 {
		t.Fatalf("only %d changes", len(want))
	}
	for _, w := range watchers {
		if found := w.changesAfter(begin); !slices.Equal(found, want) {
			t.Errorf("%s received changes at %v, another at %v", w, found, want)
		}
		expectFresh(t, w, began)
	}
}

// TestR02_ATokenResumesOnAnotherReplica resumes at a replica that has a feed, and at one that
// has none.
func TestR02_ATokenResumesOnAnotherReplica(t *testing.T) {
	t.Parallel()
	const conference = "conf_hop"
	c := start(t, 3, options{simulator: still})
	watchers := c.watchEach([]string{conference}, c.replicas[0], c.replicas[1], c.replicas[1])
	stayed, began := watchers[1], time.Now()
	for n, to := range map[int]*replica{10: c.replicas[2], 20: c.replicas[1], 30: c.replicas[0]} {
		for _, w := range []*watcher{watchers[0], watchers[2]} {
			w.close()
		}
		left := stayed.state().token
		c.churn(conference, n)
		missed := stayed.changesAfter(left)
		for _, w := range []*watcher{watchers[0], watchers[2]} {
			w.open(to)
			w.await("has what it missed", func() bool { return len(w.changesAfter(left)) >= len(missed) })
			if found := w.changesAfter(left); !slices.Equal(found, missed) {
				t.Errorf("%s resumed at replica %d with %v, missed were %v", w, to.number, found, missed)
			}
			w.await("is fresh", w.isFresh)
			expectFresh(t, w, began)
		}
	}
	c.converge()
}

// TestR02_TheLogOutlivesAllReplicas restarts all replicas; a watcher resumes with what it missed
// before, meanwhile and after.
func TestR02_TheLogOutlivesAllReplicas(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*replica){
		"killed": func(r *replica) { r.kill() }, "terminated": func(r *replica) { r.terminate() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const conference = "conf_outlives"
			c := start(t, 2, options{simulator: still})
			watchers := c.watchEach([]string{conference}, c.replicas...)
			watchers[0].close()
			left := watchers[1].state().token
			c.churn(conference, 10)
			missed := watchers[1].changesAfter(left)
			for _, r := range c.replicas {
				end(r)
			}
			watchers[1].close()
			c.upstream.join(conference, 30)
			for _, r := range c.replicas {
				r.restart()
			}
			for i, w := range watchers {
				w.open(c.replicas[i])
			}
			c.converge()
			if found := watchers[0].changesAfter(left); len(found) <= len(missed) || !slices.Equal(found[:len(missed)], missed) {
				t.Errorf("resumed with %v, missed were %v and one more", found, missed)
			}
		})
	}
}
