package replicas_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/audian/participant-gateway/test/watchclient"
)

// watcher is a client over all its streams. It applies each message strictly, and compares it
// with what the cluster's other watchers received.
type watcher struct {
	cluster               *cluster
	conference, transport string

	mu    sync.Mutex
	held  watchclient.Roster // guarded by mu, as all below
	token string
	// lastChanges is the token of the last changes; empty after a snapshot.
	lastChanges string
	received    []received
	stream      *stream
	// ends means that the conference ends.
	ends bool
	// expired is the number of RESUME_EXPIRED snapshots that the test expects.
	expired int
}

// stream is one call.
type stream struct {
	replica *replica
	process *process
	token   string
	cancel  context.CancelFunc
	ended   chan struct{}
	// first is the index of its first message.
	first                   int
	hasState, stale, closed bool
	err                     error
}

// received is a message and when it came.
type received struct {
	watchclient.Message

	at time.Time
}

// watch opens a stream at a replica. The transports take turns.
func (c *cluster) watch(at *replica, conference string) *watcher {
	c.t.Helper()
	c.mu.Lock()
	w := &watcher{
		cluster: c, conference: conference, held: watchclient.Roster{},
		transport: []string{"gRPC", "SSE"}[len(c.watchers)%2],
	}
	c.watchers = append(c.watchers, w)
	c.mu.Unlock()
	c.t.Cleanup(w.finish)
	w.open(at)
	return w
}

// finish closes the stream and checks the number of snapshots.
func (w *watcher) finish() {
	w.close()
	w.mu.Lock()
	defer w.mu.Unlock()
	found := 0
	for _, m := range w.received {
		if m.Snapshot != nil && m.Snapshot.Reason == "resume_expired" {
			found++
		} else if m.Snapshot != nil && m.Snapshot.Reason != "initial" {
			w.cluster.t.Errorf("%s: %s", w, describe(m.Message))
		}
	}
	if found != w.expired {
		w.cluster.t.Errorf("%s: %d RESUME_EXPIRED snapshots, want %d", w, found, w.expired)
	}
	if w.cluster.t.Failed() {
		w.cluster.t.Logf("%s received:%s", w, w.transcript())
	}
}

// transcript describes the last messages.
func (w *watcher) transcript() string {
	var text strings.Builder
	for _, m := range w.received[max(0, len(w.received)-40):] {
		fmt.Fprintf(&text, "\n  %s %s", m.at.Format("05.000"), describe(m.Message))
	}
	return text.String()
}

// String names the watcher.
func (w *watcher) String() string { return w.transport + " watcher of " + w.conference }

// open opens another stream, with the last token.
func (w *watcher) open(at *replica) {
	ctx, cancel := context.WithCancel(context.Background())
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &stream{
		replica: at, process: at.process, token: w.token, cancel: cancel, ended: make(chan struct{}), first: len(w.received),
	}
	w.stream = s
	go func() {
		defer close(s.ended)
		defer cancel()
		w.read(ctx, s)
	}()
}

// move closes the stream, and resumes at another replica.
func (w *watcher) move(to *replica) {
	w.close()
	w.open(to)
}

// close closes the stream and waits for its end.
func (w *watcher) close() {
	w.mu.Lock()
	s := w.stream
	s.closed = true
	w.mu.Unlock()
	s.cancel()
	<-s.ended
}

// read applies messages until the stream ends.
func (w *watcher) read(ctx context.Context, s *stream) {
	next, err := watchclient.Transports[w.transport](ctx, s.process.Gateway, watchclient.Request{Conference: w.conference, Token: s.token})
	for err == nil {
		var m watchclient.Message
		if m, err = next(); err == nil {
			w.handle(s, m)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.err = err
	if !s.closed && !w.ends && !s.process.ending.Load() {
		w.cluster.t.Errorf("%s at replica %d ended after %d messages: %v", w, s.replica.number, len(w.received)-s.first, err)
	}
}

// handle applies one message.
func (w *watcher) handle(s *stream, m watchclient.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.received = append(w.received, received{m, time.Now()})
	if err := w.apply(s, m); err != nil {
		w.cluster.t.Errorf("%s at replica %d: %v: message %s", w, s.replica.number, err, describe(m))
	}
}

func (w *watcher) apply(s *stream, m watchclient.Message) error {
	if m.Checkpoint != nil {
		s.stale = m.Checkpoint.Freshness == "stale"
	}
	if m.Checkpoint != nil && m.Checkpoint.Total == nil {
		if s.hasState || m.Token != s.token || !s.stale {
			return fmt.Errorf("not the STALE checkpoint under the client's own token %q", s.token)
		}
		return nil
	}
	if m.Snapshot != nil && (m.Snapshot.Reason == "initial") != (s.token == "" && !s.hasState) {
		return fmt.Errorf("wrong reason for a snapshot")
	}
	s.hasState = true
	if err := w.held.Apply(m); err != nil {
		return err
	}
	return w.compare(m)
}

// compare compares a message with what other watchers received.
func (w *watcher) compare(m watchclient.Message) error {
	before := w.token
	w.token = m.Token
	switch {
	case m.End != nil:
		return nil
	case m.Snapshot != nil:
		w.lastChanges = ""
	case m.Changes != nil && m.Token == before:
		return fmt.Errorf("changes without a new token")
	case m.Changes != nil:
		if err := w.cluster.order.Changed(w.lastChanges, m.Token, m.Changes); err != nil {
			return err
		}
		w.lastChanges = m.Token
	}
	return w.cluster.order.Holds(m.Token, w.held)
}

// state is what a watcher has.
type state struct {
	held  watchclient.Roster
	token string
	// stale is also true before the stream's first roster.
	stale, open bool
}

func (w *watcher) state() state {
	w.mu.Lock()
	defer w.mu.Unlock()
	return state{
		held: maps.Clone(w.held), token: w.token, stale: w.stream.stale || !w.stream.hasState,
		open: !w.stream.closed && !w.stream.process.ending.Load(),
	}
}

// messages returns those of the present stream.
func (w *watcher) messages() []received {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.received[w.stream.first:])
}

// holds reports whether the watcher holds a participant.
func (w *watcher) holds(id string) bool {
	_, holds := w.state().held[id]
	return holds
}

// isFresh reports whether the stream has a roster that is fresh.
func (w *watcher) isFresh() bool {
	return !w.state().stale
}

// await waits for a condition of the watcher.
func (w *watcher) await(what string, condition func() bool) {
	w.cluster.t.Helper()
	eventually(w.cluster.t, w.String()+" "+what, condition)
}

// staleReasons returns the reasons of the STALE checkpoints in some messages.
func staleReasons(messages []received) (reasons []string) {
	for _, m := range messages {
		if m.Checkpoint != nil && m.Checkpoint.Freshness == "stale" {
			reasons = append(reasons, m.Checkpoint.Reason)
		}
	}
	return reasons
}

// describe shortens a message for a failure.
func describe(m watchclient.Message) string {
	var text strings.Builder
	switch {
	case m.Snapshot != nil:
		fmt.Fprintf(&text, "snapshot %s", m.Snapshot.Reason)
		for _, p := range m.Snapshot.Participants {
			fmt.Fprintf(&text, " %s=%s", p.ID, p.Status)
		}
	case m.Changes != nil:
		text.WriteString("changes")
		for _, change := range m.Changes.Changes {
			fmt.Fprintf(&text, " %s %s=%s", change.Kind, change.Member.ID, change.Member.Status)
		}
	case m.Checkpoint != nil:
		fmt.Fprintf(&text, "checkpoint %s %s", m.Checkpoint.Freshness, m.Checkpoint.Reason)
	default:
		fmt.Fprintf(&text, "end %+v", m.End)
	}
	return text.String() + " at " + positionOf(m.Token)
}

// positionOf shortens a token: the start of its epoch, and its end.
func positionOf(token string) string {
	_, content, _ := strings.Cut(token, ".")
	body, err := base64.RawURLEncoding.DecodeString(content)
	if err != nil || len(body) < 33 {
		return token
	}
	seq, _ := binary.Uvarint(body[32:])
	return fmt.Sprintf("%x:%d", body[:3], seq)
}
