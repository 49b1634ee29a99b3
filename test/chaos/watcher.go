package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// The longest that a watcher waits for the first message of a stream, and for the next
// one. Promised are 5 s (W1) and the heartbeat (W13); the rest is for a small machine,
// and for a gateway that is made to stand still.
const (
	firstWithin = 11 * time.Second
	nextWithin  = 15 * time.Second
)

// watcher is a client over all its streams. It applies what it is told strictly, and
// comes back with its last token whatever a stream ends by.
type watcher struct {
	world      *world
	door       string
	conference string
	connected  bool
	// restless watchers hang up now and then.
	restless bool

	mu   sync.Mutex
	held roster // guarded by mu
	// token is the position, which process generation gave; last is the token of the
	// last changes, empty where a snapshot came since.
	token, last string
	generation  int
}

// stream is one call of a watcher.
type stream struct {
	gateway *gateway
	came    string
	// based says that a snapshot came or the resume was accepted.
	based    bool
	messages int
	ended    bool
}

// follow watches until ctx ends or the conference does.
func (w *watcher) follow(ctx context.Context) {
	for ctx.Err() == nil {
		s := &stream{gateway: w.world.gateway.Load(), came: w.token}
		how := w.call(ctx, s)
		w.world.tally.stream("ended: " + how)
		if s.ended {
			return
		}
		pause(ctx, 50*time.Millisecond+rand.N(200*time.Millisecond))
	}
}

// call makes one call, and says how it ended.
func (w *watcher) call(ctx context.Context, s *stream) (how string) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var silent, hungUp atomic.Bool
	silence := time.AfterFunc(firstWithin, func() { silent.Store(true); stop() })
	defer silence.Stop()
	if w.restless {
		leaving := time.AfterFunc(time.Second+rand.N(5*time.Second), func() { hungUp.Store(true); stop() })
		defer leaving.Stop()
	}
	err := w.read(ctx, s, func() { silence.Reset(nextWithin) })
	switch {
	case err == nil:
		return "END"
	case silent.Load():
		w.world.tally.brokenf(silences, "%s on %s: nothing came after %d messages", w.door, w.conference, s.messages)
		return "silence"
	case hungUp.Load() || ctx.Err() != nil:
		return "hung up"
	default:
		return w.judge(s, err)
	}
}

// judge says whether a stream may have ended so. Nothing ends a stream but the end of
// its process; and one that drains says so to all whose stream had begun (W10, W16).
func (w *watcher) judge(s *stream, err error) (how string) {
	reason := reasonOf(err)
	switch {
	case s.gateway.killed.Load():
		return "killed"
	case reason == "DRAINING":
		return reason
	case s.gateway.ending.Load() && s.messages == 0:
		return "refused"
	}
	w.world.tally.brokenf(endedUnasked, "%s on %s, after %d messages: %v", w.door, w.conference, s.messages, err)
	return "unasked: " + reason
}

// read applies messages until the stream ends; nil is the end of the conference.
func (w *watcher) read(ctx context.Context, s *stream, alive func()) error {
	next, err := doors[w.door](ctx, s.gateway, asked{w.conference, w.connected, s.came})
	for err == nil {
		var m message
		if m, err = next(); err != nil {
			break
		}
		alive()
		w.take(s, m)
	}
	if s.ended && (errors.Is(err, io.EOF) || errors.Is(err, errBare)) {
		return nil
	}
	return err
}

// take applies one message.
func (w *watcher) take(s *stream, m message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.messages++
	if s.messages == 1 {
		w.world.tally.stream("opened")
	}
	w.world.tally.check("messages applied", 1)
	if m.Checkpoint != nil {
		w.world.tally.check("checkpoints that say "+m.Checkpoint.Freshness, 1)
	}
	if unbased := m.Checkpoint != nil && m.Checkpoint.Total == nil; unbased {
		if s.based || m.Token != s.came {
			w.world.tally.brokenf(misfits, "a token before any base: %q, came with %q", m.Token, s.came)
		}
		return
	}
	w.base(s, m)
	if err := w.held.apply(m); err != nil {
		w.world.tally.brokenf(misfits, "%s on %s: %v", w.door, w.conference, err)
	}
	w.note(m)
	s.ended = m.End != nil
	w.token, w.generation = m.Token, s.gateway.generation
}

// base holds the first message of a stream to its resume: within the history, which
// outlasts a run, it goes on from the token; otherwise a snapshot comes, once (W4).
func (w *watcher) base(s *stream, m message) {
	want := "initial"
	switch {
	case s.based:
		want = ""
	case s.came != "" && w.generation == s.gateway.generation:
		want = ""
		w.world.tally.stream("resumed with what was missed")
	case s.came != "":
		want = "resume_expired"
		w.world.tally.stream("resumed with a snapshot: another process")
	}
	s.based = true
	switch got := m.Snapshot; {
	case got == nil && want != "":
		w.world.tally.brokenf(misfits, "%s on %s: no %s snapshot first", w.door, w.conference, want)
	case got != nil && got.Reason != want:
		w.world.tally.brokenf(changesLost, "%s on %s: a snapshot, %s, where the history holds all", w.door, w.conference, got.Reason)
	}
}

// note compares what was told with what others were told (W3), and keeps whom it tells
// of to be looked up at the end (W8).
func (w *watcher) note(m message) {
	ledger, t := w.world.ledger, w.world.tally
	if m.Snapshot != nil {
		w.last = ""
		w.world.sightings.add(m.Snapshot.Participants...)
	}
	if m.Changes != nil {
		if m.Token == w.token {
			t.brokenf(outOfOrder, "%s on %s: changes without a new token", w.door, w.conference)
		}
		if err := ledger.changed(w.last, m.Token, m.Changes); err != nil {
			t.brokenf(outOfOrder, "%s on %s: %v", w.door, w.conference, err)
		}
		w.last = m.Token
		t.check("changes applied", len(m.Changes.Changes))
		for _, c := range m.Changes.Changes {
			w.world.sightings.add(c.Human)
			if c.Kind == "removed" && !w.world.sightings.mayHaveLeft(c.Human.ID) {
				t.brokenf(changesInvented, "%s on %s: %s removed, who never left", w.door, w.conference, c.Human.ID)
			}
		}
	}
	if err := ledger.holds(m.Token, w.held); err != nil {
		t.brokenf(outOfOrder, "%s on %s: %v", w.door, w.conference, err)
	}
}

// copy is whom the watcher holds now.
func (w *watcher) copy() roster {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.held)
}
