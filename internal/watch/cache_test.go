package watch_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

const mega = 1 << 20

// encode encodes a message to size bytes, and counts the encodings.
func encode(t *testing.T, m *watch.Message, size int, made *atomic.Int64) {
	t.Helper()
	encoded, err := m.Encoding(watch.Proto, func(*watch.Message) ([]byte, error) {
		made.Add(1)
		return make([]byte, size), nil
	})
	if err != nil || len(encoded) != size {
		t.Errorf("got %d bytes, %v", len(encoded), err)
	}
}

// isBounded checks the size of the cache.
func (h *harness) isBounded() {
	h.t.Helper()
	if _, counted, summed := h.watcher.Cached(); counted > watch.CacheBytes || counted != summed {
		h.t.Errorf("%d bytes are kept, and counted as %d", summed, counted)
	}
}

// flip changes a status again and again, and reads each batch.
func (c *client) flip(h *harness, batches int) {
	c.t.Helper()
	for i := range batches {
		h.Set("a", []participant.Status{connected, dialing}[i%2])
		for {
			m, err := c.next()
			if err != nil {
				c.t.Fatal(err)
			}
			if m.Changes != nil {
				break
			}
		}
	}
}

// replay resumes at a token, and returns the batches that follow it.
func (h *harness) replay(token string, batches int) []*watch.Message {
	h.t.Helper()
	c := h.watch(watch.Request{ResumeToken: token, Heartbeat: time.Minute})
	defer c.subscription.Close()
	c.held = map[string]participant.Participant{"a": {}}
	replayed := make([]*watch.Message, batches)
	for i := range replayed {
		m, err := c.next()
		if err != nil || m.Changes == nil {
			h.t.Fatalf("got %v, %v, want changes", m, err)
		}
		replayed[i] = m
	}
	return replayed
}

func TestW14_CacheKeeps16MBAndEvictsTheOldestFirst(t *testing.T) {
	run(t, history, func(h *harness) {
		const batches = 20
		h.Set("a", dialing)
		keeper := h.watch(watch.Request{Heartbeat: time.Minute})
		defer keeper.subscription.Close()
		keeper.expect("initial a(dialing)")
		token := keeper.token
		keeper.flip(h, batches)
		var made atomic.Int64
		first := h.replay(token, batches)
		for _, m := range first {
			encode(t, m, mega, &made)
			h.isBounded()
		}
		again := h.replay(token, batches)
		for i, m := range again {
			if kept := m == first[i]; kept != (i >= batches-15) {
				t.Errorf("batch %d of %d is kept: %t", i, batches, kept)
			}
		}

		// The evicted one is encoded again, by the first of its callers.
		made.Store(0)
		var asking sync.WaitGroup
		for range 50 {
			asking.Go(func() { encode(t, again[0], mega, &made) })
		}
		asking.Wait()
		if made.Load() != 1 {
			t.Errorf("encoded %d times", made.Load())
		}
		h.isBounded()
	})
}

func TestW12_SnapshotsCountTowardsTheCacheBound(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		var made atomic.Int64
		for n := range 40 {
			c := h.watch(watch.Request{Filter: pair(n), Heartbeat: time.Minute})
			h.t.Cleanup(c.subscription.Close)
			m, err := c.next()
			if err != nil || m.Snapshot == nil {
				t.Fatalf("got %v, %v", m, err)
			}
			encode(t, m, mega, &made)
			h.isBounded()
		}
		huge := h.watch(watch.Request{Heartbeat: time.Minute})
		defer huge.subscription.Close()
		m, err := huge.next()
		if err != nil {
			t.Fatal(err)
		}
		encode(t, m, 2*watch.CacheBytes, &made)
		h.isBounded()
		encode(t, m, 2*watch.CacheBytes, &made) // The message still has its encoding.
		if made.Load() != 41 {
			t.Errorf("encoded %d times", made.Load())
		}
	})
}

func TestW12_HiddenEntriesCountTowardsTheCacheBound(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		var clients []*client
		for n := range 1000 {
			c := h.watch(watch.Request{Filter: participant.NewFilter(nil, nil, []string{fmt.Sprint(n)}), Heartbeat: time.Minute})
			h.t.Cleanup(c.subscription.Close)
			c.expect("initial")
			clients = append(clients, c)
		}
		for i := range 100 { // Hidden from all of them.
			h.Set("a", []participant.Status{"ringing", dialing}[i%2])
			h.advance(1100 * time.Millisecond)
		}
		for _, c := range clients {
			c.expect("fresh") // The heartbeat, which is overdue.
		}
		h.isBounded()
	})
}

func TestW12_CacheDropsTrimmedEntriesAndUnusedViews(t *testing.T) {
	run(t, 5, func(h *harness) {
		h.Set("a", dialing)
		c := h.watch(watch.Request{Heartbeat: time.Minute})
		c.expect("initial a(dialing)")
		c.flip(h, 50)
		if kept, _, _ := h.watcher.Cached(); kept > 5+2 {
			t.Errorf("%d renderings are kept of 5 entries", kept)
		}
		other := h.watch(watch.Request{Filter: pair(1)})
		defer other.subscription.Close()
		other.expect("initial")
		c.subscription.Close()
		if kept, _, _ := h.watcher.Cached(); kept != 1 {
			t.Errorf("%d renderings are kept, want the one snapshot", kept)
		}
		h.isBounded()
	})
}

func TestW14_PanicInAnEncodingIsAnErrorForLaterCallers(t *testing.T) {
	m := &watch.Message{}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _ = m.Encoding(watch.JSON, func(*watch.Message) ([]byte, error) { panic("encode") })
	}()
	if encoded, err := m.Encoding(watch.JSON, nil); err == nil || encoded != nil {
		t.Errorf("got %q, %v", encoded, err)
	}
}

// TestW01_IncompleteFirstListIsFollowedByAStaleCheckpoint opens a stream on a stale roster, with
// and without a STALE checkpoint before the first list.
func TestW01_IncompleteFirstListIsFollowedByAStaleCheckpoint(t *testing.T) {
	now := time.Now()
	stale := &feed.State{Known: true, Stale: true, StaleReason: apierror.UpstreamIncomplete}
	for name, waited := range map[string]bool{"at once": false, "after a STALE checkpoint": true} {
		t.Run(name, func(t *testing.T) {
			s := watch.NewOpening()
			if waited {
				message, err := watch.Due(s, &feed.State{Stale: true, StaleReason: apierror.UpstreamTimeout}, now)
				if err != nil || describe(message) != "stale UPSTREAM_TIMEOUT" {
					t.Fatalf("got %v, %v", message, err)
				}
			}
			for _, step := range []struct {
				state *feed.State
				want  string
			}{{stale, "initial"}, {stale, "stale UPSTREAM_INCOMPLETE"}, {&feed.State{Known: true}, "fresh"}} {
				message, err := watch.Due(s, step.state, now.Add(-time.Second))
				if err != nil || message == nil || describe(message) != step.want {
					t.Fatalf("got %v, %v, want %q", message, err, step.want)
				}
			}
		})
	}
}
