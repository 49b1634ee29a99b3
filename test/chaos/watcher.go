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

	"github.com/audian/participant-gateway/test/watchclient"
)

// firstWithin and nextWithin are how long a watcher waits for the first message of a
// stream, and for the next one. W1 promises 5 s and W13 the heartbeat; the rest is for a
// slow machine, and for a gateway that is stopped for some seconds.
const (
	firstWithin = 11 * time.Second
	nextWithin  = 15 * time.Second
)

// watcher is a client over all its streams. It checks that each message follows from those
// before, and resumes from its last token however a stream ends.
type watcher struct {
	harness    *harness
	transport  string
	conference string
	connected  bool
	// reconnects means that the watcher closes its stream now and then.
	reconnects bool

	mu   sync.Mutex
	held roster // guarded by mu
	// token is the last position, which process generation gave; last is the token of the
	// last changes, empty after a snapshot.
	token, last string
	generation  int
	// flips are the changes of freshness that its streams reported, the first state included.
	flips []flip
	// at is when the token came. expired counts RESUME_EXPIRED snapshots after a loss of Redis.
	at      time.Time
	expired int
}

// name describes the watcher in findings.
func (w *watcher) name() string { return w.transport + " on " + w.conference }

// stream is one call of a watcher.
type stream struct {
	gateway     *gateway
	resumeToken string
	// hasBaseline means that a snapshot came or the resume was accepted.
	hasBaseline bool
	messages    int
	ended       bool
}

// follow watches until ctx ends or the conference does.
func (w *watcher) follow(ctx context.Context) {
	for ctx.Err() == nil {
		s := &stream{gateway: w.harness.pick(), resumeToken: w.token}
		how := w.call(ctx, s)
		w.harness.results.stream("ended: " + how)
		if s.ended {
			return
		}
		pause(ctx, 50*time.Millisecond+rand.N(200*time.Millisecond))
	}
}

// call makes one call, and returns how it ended.
func (w *watcher) call(ctx context.Context, s *stream) (how string) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var silent, closed atomic.Bool
	silence := time.AfterFunc(firstWithin, func() { silent.Store(true); stop() })
	defer silence.Stop()
	if w.reconnects {
		leaving := time.AfterFunc(time.Second+rand.N(5*time.Second), func() { closed.Store(true); stop() })
		defer leaving.Stop()
	}
	err := w.read(ctx, s, func() { silence.Reset(nextWithin) })
	switch {
	case err == nil:
		return "END"
	case silent.Load():
		w.harness.results.violatef(silentStreams, "%s: no message after %d messages", w.name(), s.messages)
		return "silent"
	case closed.Load() || ctx.Err() != nil:
		return "closed by the client"
	default:
		return w.classifyEnd(s, err)
	}
}

// classifyEnd returns how a stream ended, and records a violation unless its process
// ended: a gateway that drains sends DRAINING to every stream that has begun (W10, W16).
func (w *watcher) classifyEnd(s *stream, err error) (how string) {
	reason := watchclient.ReasonOf(err)
	switch {
	case s.gateway.killed.Load():
		return "killed"
	case reason == "DRAINING":
		return reason
	case s.gateway.ending.Load() && s.messages == 0:
		return "refused"
	}
	w.harness.results.violatef(unexpectedEnds, "%s, after %d messages: %v", w.name(), s.messages, err)
	return "unexpected: " + reason
}

// read applies messages until the stream ends; nil means that the conference ended.
func (w *watcher) read(ctx context.Context, s *stream, alive func()) error {
	next, err := watchclient.Transports[w.transport](ctx, s.gateway.target(), watchclient.Request{
		Conference: w.conference, Connected: w.connected, Token: s.resumeToken,
	})
	for err == nil {
		var m message
		if m, err = next(); err != nil {
			break
		}
		alive()
		w.handle(s, m)
	}
	if s.ended && (errors.Is(err, io.EOF) || errors.Is(err, watchclient.ErrBare)) {
		return nil
	}
	return err
}

// handle applies one message.
func (w *watcher) handle(s *stream, m message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.messages++
	if s.messages == 1 {
		w.harness.results.stream("opened")
	}
	w.harness.results.check("messages applied", 1)
	if m.Checkpoint != nil {
		w.harness.results.check("checkpoints that say "+m.Checkpoint.Freshness, 1)
		w.recordFreshness(m.Checkpoint)
	}
	if beforeBaseline := m.Checkpoint != nil && m.Checkpoint.Total == nil; beforeBaseline {
		if s.hasBaseline || m.Token != s.resumeToken {
			w.harness.results.violatef(inconsistentMessages, "a token before a snapshot: %q, resumed from %q", m.Token, s.resumeToken)
		}
		return
	}
	w.checkBaseline(s, m)
	if err := w.held.Apply(m); err != nil {
		w.harness.results.violatef(inconsistentMessages, "%s: %v", w.name(), err)
	}
	w.compareWithOthers(m)
	s.ended = m.End != nil
	w.token, w.generation, w.at = m.Token, s.gateway.generation, time.Now()
}

// checkBaseline checks the first message of a stream: within the history, which is longer
// than a run, the stream continues from the token; otherwise there is one snapshot (W4).
func (w *watcher) checkBaseline(s *stream, m message) {
	if w.expires(m) {
		s.hasBaseline = true
		return
	}
	want := "initial"
	switch {
	case s.hasBaseline:
		want = ""
	case s.resumeToken != "" && (w.harness.cluster != nil || w.generation == s.gateway.generation):
		want = ""
		w.harness.results.stream("resumed with what was missed")
	case s.resumeToken != "":
		want = "resume_expired"
		w.harness.results.stream("resumed with a snapshot: another process")
	}
	s.hasBaseline = true
	switch got := m.Snapshot; {
	case got == nil && want != "":
		w.harness.results.violatef(inconsistentMessages, "%s: no %s snapshot first", w.name(), want)
	case got != nil && got.Reason != want:
		w.harness.results.violatef(changesLost, "%s: a snapshot, %s, although the history holds everything", w.name(), got.Reason)
	}
}

// compareWithOthers compares the message with what other watchers received (W3), and keeps
// its participants for the audit at the end (W8).
func (w *watcher) compareWithOthers(m message) {
	orderCheck, t := w.harness.orderCheck, w.harness.results
	if m.Snapshot != nil {
		w.last = ""
		w.harness.observations.add(m.Snapshot.Participants...)
	}
	if m.Changes != nil {
		if m.Token == w.token {
			t.violatef(outOfOrder, "%s: changes without a new token", w.name())
		}
		if err := orderCheck.Changed(w.last, m.Token, m.Changes); err != nil {
			t.violatef(outOfOrder, "%s: %v", w.name(), err)
		}
		w.last = m.Token
		t.check("changes applied", len(m.Changes.Changes))
		for _, c := range m.Changes.Changes {
			w.harness.observations.add(c.Member)
			if c.Kind == "removed" && !w.harness.observations.mayHaveLeft(c.Member.ID) {
				t.violatef(wrongRemovals, "%s: %s removed, but never left", w.name(), c.Member.ID)
			}
		}
	}
	if err := orderCheck.Holds(m.Token, w.held); err != nil {
		t.violatef(outOfOrder, "%s: %v", w.name(), err)
	}
}

// heldCopy returns the roster that the watcher holds.
func (w *watcher) heldCopy() roster {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.held)
}
