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

// encode makes an encoding of so many bytes, and counts that it did.
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

// isBounded checks what the watcher keeps.
func (s *scene) isBounded() {
	s.t.Helper()
	if _, counted, summed := s.watcher.Cached(); counted > watch.CacheBytes || counted != summed {
		s.t.Errorf("%d bytes are kept, and counted as %d", summed, counted)
	}
}

// flip makes as many batches of changes, which the client reads as they come.
func (c *client) flip(s *scene, batches int) {
	c.t.Helper()
	for i := range batches {
		s.Set("a", []participant.Status{connected, dialing}[i%2])
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

// replay resumes at a token, and gives the batches that follow it.
func (s *scene) replay(token string, batches int) []*watch.Message {
	s.t.Helper()
	c := s.watch(watch.Request{ResumeToken: token, Heartbeat: time.Minute})
	defer c.subscription.Close()
	c.held = map[string]participant.Participant{"a": {}}
	replayed := make([]*watch.Message, batches)
	for i := range replayed {
		m, err := c.next()
		if err != nil || m.Changes == nil {
			s.t.Fatalf("got %v, %v, want changes", m, err)
		}
		replayed[i] = m
	}
	return replayed
}

func TestW14_EncodingsOf16MBAreKeptTheOldestGoFirst(t *testing.T) {
	play(t, history, func(s *scene) {
		const batches = 20
		s.Set("a", dialing)
		keeper := s.watch(watch.Request{Heartbeat: time.Minute})
		defer keeper.subscription.Close()
		keeper.expect("initial a(dialing)")
		token := keeper.token
		keeper.flip(s, batches)
		var made atomic.Int64
		first := s.replay(token, batches)
		for _, m := range first {
			encode(t, m, mega, &made)
			s.isBounded()
		}
		again := s.replay(token, batches)
		for i, m := range again {
			if kept := m == first[i]; kept != (i >= batches-15) {
				t.Errorf("batch %d of %d is kept: %t", i, batches, kept)
			}
		}

		// The one that went first is made again, by one of those who ask for it.
		made.Store(0)
		var asking sync.WaitGroup
		for range 50 {
			asking.Go(func() { encode(t, again[0], mega, &made) })
		}
		asking.Wait()
		if made.Load() != 1 {
			t.Errorf("made %d times", made.Load())
		}
		s.isBounded()
	})
}

func TestW12_SnapshotsAreUnderTheSameBound(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		var made atomic.Int64
		for n := range 40 {
			c := s.watch(watch.Request{Filter: pair(n), Heartbeat: time.Minute})
			s.t.Cleanup(c.subscription.Close)
			m, err := c.next()
			if err != nil || m.Snapshot == nil {
				t.Fatalf("got %v, %v", m, err)
			}
			encode(t, m, mega, &made)
			s.isBounded()
		}
		huge := s.watch(watch.Request{Heartbeat: time.Minute})
		defer huge.subscription.Close()
		m, err := huge.next()
		if err != nil {
			t.Fatal(err)
		}
		encode(t, m, 2*watch.CacheBytes, &made)
		s.isBounded()
		encode(t, m, 2*watch.CacheBytes, &made) // Whoever holds it has it still.
		if made.Load() != 41 {
			t.Errorf("made %d times", made.Load())
		}
	})
}

func TestW12_HiddenEntriesOfManyFiltersAreUnderTheSameBound(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		var clients []*client
		for n := range 1000 {
			c := s.watch(watch.Request{Filter: participant.NewFilter(nil, nil, []string{fmt.Sprint(n)}), Heartbeat: time.Minute})
			s.t.Cleanup(c.subscription.Close)
			c.expect("initial")
			clients = append(clients, c)
		}
		for i := range 100 { // Hidden from all of them.
			s.Set("a", []participant.Status{"ringing", dialing}[i%2])
			s.after(1100 * time.Millisecond)
		}
		for _, c := range clients {
			c.expect("fresh") // The heartbeat, which is overdue.
		}
		s.isBounded()
	})
}

func TestW12_WhatTheLogForgetsAndWhatNobodyWatchesIsNotKept(t *testing.T) {
	play(t, 5, func(s *scene) {
		s.Set("a", dialing)
		c := s.watch(watch.Request{Heartbeat: time.Minute})
		c.expect("initial a(dialing)")
		c.flip(s, 50)
		if kept, _, _ := s.watcher.Cached(); kept > 5+2 {
			t.Errorf("%d renderings are kept of 5 entries", kept)
		}
		other := s.watch(watch.Request{Filter: pair(1)})
		defer other.subscription.Close()
		other.expect("initial")
		c.subscription.Close()
		if kept, _, _ := s.watcher.Cached(); kept != 1 {
			t.Errorf("%d renderings are kept, want the one snapshot", kept)
		}
		s.isBounded()
	})
}

func TestW14_AnEncodingThatPanicsIsAnErrorForTheOthers(t *testing.T) {
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

// TestW01_AFirstListThatIsIncompleteLeavesTheFeedStale has a stream that was called stale
// before there was a roster, or was not, meet a roster that is stale.
func TestW01_AFirstListThatIsIncompleteLeavesTheFeedStale(t *testing.T) {
	now := time.Now()
	stale := &feed.State{Known: true, Stale: true, StaleReason: apierror.UpstreamIncomplete}
	for name, waited := range map[string]bool{"at once": false, "after a STALE checkpoint": true} {
		t.Run(name, func(t *testing.T) {
			s := watch.NewOpening()
			if waited {
				message, err := watch.Step(s, &feed.State{Stale: true, StaleReason: apierror.UpstreamTimeout}, now)
				if err != nil || words(message) != "stale UPSTREAM_TIMEOUT" {
					t.Fatalf("got %v, %v", message, err)
				}
			}
			for _, step := range []struct {
				state *feed.State
				want  string
			}{{stale, "initial"}, {stale, "stale UPSTREAM_INCOMPLETE"}, {&feed.State{Known: true}, "fresh"}} {
				message, err := watch.Step(s, step.state, now.Add(-time.Second))
				if err != nil || message == nil || words(message) != step.want {
					t.Fatalf("got %v, %v, want %q", message, err, step.want)
				}
			}
		})
	}
}
