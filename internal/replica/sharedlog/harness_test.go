package sharedlog_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// conference is the one of most tests.
const conference = "conf"

// observer counts what it is called with.
type observer struct {
	mu        sync.Mutex
	taken     int
	takeovers int
	refused   map[sharedlog.Outcome]int
}

func (o *observer) LeaseTaken(takeover bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taken++
	if takeover {
		o.takeovers++
	}
}

func (o *observer) Refused(outcome sharedlog.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refused[outcome]++
}

// replica is one process's logs.
type replica struct {
	*sharedlog.Logs

	conn     *redisconn.Conn
	proxy    *redistest.Proxy
	observer *observer
	// stop ends Run, as when the process is killed.
	stop func()
}

// join starts a replica with a network of its own.
func join(t *testing.T, server *redistest.Server, id string) *replica {
	t.Helper()
	proxy := redistest.NewProxy(t, server.Addr())
	r := &replica{proxy: proxy, observer: &observer{refused: map[sharedlog.Outcome]int{}}}
	r.use(t, dial(t, server.URLAt(proxy.Addr())), id)
	return r
}

// use starts the logs of a replica on a connection.
func (r *replica) use(t *testing.T, conn *redisconn.Conn, id string) {
	t.Helper()
	r.conn = conn
	r.Logs = sharedlog.New(sharedlog.Options{
		Conn: r.conn, Replica: id, Upstream: "u1", Logger: slog.New(slog.DiscardHandler), Observer: r.observer,
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	r.stop = func() { cancel(); running.Wait() }
	t.Cleanup(r.stop)
}

func dial(t *testing.T, url string) *redisconn.Conn {
	t.Helper()
	conn, err := redisconn.Open(t.Context(), redisconn.Options{
		URL: redact.Secret(url), Prefix: "pgw:", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: it did not happen in 15 s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// write returns a write that was answered now and has one visible change.
func (r *replica) write(expected sharedlog.Head, id, state string) sharedlog.Batch {
	return sharedlog.Batch{
		ID: r.NewID(), Expected: expected, Answered: r.conn.Now(),
		Entry: []byte(id + "=" + state), Changes: 1, Members: map[string][]byte{id: []byte(state)},
	}
}

// mustAppend appends a batch and checks the outcome.
func mustAppend(t *testing.T, log *sharedlog.Log, b sharedlog.Batch, want sharedlog.Outcome) sharedlog.Head {
	t.Helper()
	result, err := log.Append(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if result.Outcome != want {
		t.Fatalf("outcome = %q, want %q (head %v)", result.Outcome, want, result.Head)
	}
	return result.Head
}

// begin begins a log with some members.
func begin(t *testing.T, r *replica, log *sharedlog.Log, members map[string][]byte) sharedlog.Head {
	t.Helper()
	b := r.write(sharedlog.Head{}, "", "")
	b.Base, b.Entry, b.Changes, b.Members, b.Marks = true, nil, 0, members, []byte("marks")
	return mustAppend(t, log, b, sharedlog.Appended)
}

func mustLoad(t *testing.T, log *sharedlog.Log, since sharedlog.Head) sharedlog.Snapshot {
	t.Helper()
	snapshot, err := log.Load(t.Context(), since)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

// mustLead takes the lease of a conference.
func mustLead(t *testing.T, log *sharedlog.Log) *sharedlog.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	lease, err := log.Lead(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

// copyOf is a copy of a log that a follower keeps.
type copyOf struct {
	mu      sync.Mutex
	head    sharedlog.Head
	members map[string]string
	// history are the entries with visible changes by sequence number.
	history       map[uint64]string
	marks, status string
	updates       []sharedlog.Update
	snapshots     int
	// faults are commits that do not follow the one before.
	faults []string
}

// follow keeps a copy until the test ends or stop is called.
func follow(t *testing.T, log *sharedlog.Log) (c *copyOf, stop func()) {
	t.Helper()
	c = &copyOf{members: map[string]string{}, history: map[uint64]string{}}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { log.Follow(ctx, c.receive) })
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(func() {
		stop()
		if len(c.faults) > 0 {
			t.Errorf("commits that do not follow the one before: %v", c.faults)
		}
	})
	eventually(t, "first update", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.snapshots > 0
	})
	return c, stop
}

func (c *copyOf) receive(u sharedlog.Update) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.updates = append(c.updates, u)
	if s := u.Snapshot; s != nil {
		c.load(s)
		return
	}
	if want := (sharedlog.Head{Epoch: c.head.Epoch, Seq: u.Commit.Head.Seq, Commits: c.head.Commits + 1}); u.Commit.Head != want {
		c.faults = append(c.faults, fmt.Sprintf("%v after %v", u.Commit.Head, c.head))
	}
	c.head = u.Commit.Head
	for id, member := range u.Commit.Members {
		c.members[id] = string(member)
	}
	for _, id := range u.Commit.Forgotten {
		delete(c.members, id)
	}
	if u.Commit.Changes > 0 {
		c.history[u.Commit.Head.Seq] = string(u.Commit.Entry)
	}
	if len(u.Commit.Marks) > 0 {
		c.marks = string(u.Commit.Marks)
	}
	if len(u.Commit.Status) > 0 {
		c.status = string(u.Commit.Status)
	}
}

func (c *copyOf) load(s *sharedlog.Snapshot) {
	c.snapshots++
	if s.Head.Epoch != c.head.Epoch {
		c.history = map[uint64]string{}
	}
	c.head, c.members = s.Head, map[string]string{}
	for id, member := range s.Members {
		c.members[id] = string(member)
	}
	for _, entry := range s.Entries {
		c.history[entry.Seq] = string(entry.Entry)
	}
	c.marks, c.status = string(s.Marks), string(s.Status)
}

func (c *copyOf) at() sharedlog.Head {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.head
}

func (c *copyOf) roster() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.members)
}

// reach waits until the copy is at a head.
func (c *copyOf) reach(t *testing.T, head sharedlog.Head) {
	t.Helper()
	eventually(t, "follower reaches the head", func() bool { return c.at() == head })
}
