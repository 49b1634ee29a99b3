package sharedclaims_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedclaims"
	"github.com/audian/participant-gateway/internal/write"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const prefix = "t:"

// searchTimeout is long enough to read a list twice.
const searchTimeout = 1100 * time.Millisecond

// userName is the Redis user of the tests: it may do what the documentation says, and no more.
const userName = "gateway"

var alice = participant.Add{PhoneNumber: "+12025551234", Name: "Alice", Role: participant.RolePresenter}

// cluster is replicas on one Redis and one upstream.
type cluster struct {
	t        *testing.T
	redis    *redistest.Server
	upstream *upstream

	mu   sync.Mutex
	dead map[string]bool
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	user := "user " + userName + " on >pass " + strings.Join(redisconn.ACL(prefix), " ")
	return &cluster{
		t: t, redis: redistest.Start(t, redistest.Options{ACL: []string{user}}),
		upstream: &upstream{}, dead: map[string]bool{},
	}
}

// replica is one gateway's writer, with a network of its own to Redis.
type replica struct {
	*write.Writer

	cluster *cluster
	id      string
	proxy   *redistest.Proxy
	conn    *redisconn.Conn
	store   *sharedclaims.Store

	mu      sync.Mutex
	written []string
}

func (c *cluster) replica(id string) *replica {
	c.t.Helper()
	r := &replica{cluster: c, id: id, proxy: redistest.NewProxy(c.t, c.redis.Addr())}
	r.conn = c.open(r.proxy)
	r.store = sharedclaims.New(sharedclaims.Options{Conn: r.conn, Members: r, Logger: slog.New(slog.DiscardHandler)})
	r.Writer = write.New(write.Options{Recorder: r, Logger: slog.New(slog.DiscardHandler), Shared: r.store, SearchTimeout: searchTimeout})
	c.t.Cleanup(func() {
		c.upstream.end()
		r.Close()
		r.store.Close()
	})
	return r
}

func (c *cluster) open(proxy *redistest.Proxy) *redisconn.Conn {
	c.t.Helper()
	conn, err := redisconn.Open(c.t.Context(), redisconn.Options{
		URL: redact.Secret("redis://" + userName + ":pass@" + proxy.Addr()), Prefix: prefix, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	if !conn.Available() {
		c.t.Fatalf("Redis: %v", conn.Err())
	}
	return conn
}

// die makes the others take the replica for dead, and cuts it off.
func (r *replica) die() {
	r.proxy.Cut()
	r.cluster.mu.Lock()
	defer r.cluster.mu.Unlock()
	r.cluster.dead[r.id] = true
}

// reconnect ends a cut, and waits until the replica can use Redis.
func (r *replica) reconnect() {
	r.cluster.t.Helper()
	r.proxy.Restore()
	eventually(r.cluster.t, "Redis can be used", r.conn.Available)
}

func (r *replica) ID() string { return r.id }

func (r *replica) Alive(id string) bool {
	r.cluster.mu.Lock()
	defer r.cluster.mu.Unlock()
	return !r.cluster.dead[id]
}

func (r *replica) call(requestID string) write.Call {
	return write.Call{Key: participant.Key{Conference: "conf_1"}, Upstream: r.cluster.upstream, Caller: "caller", RequestID: requestID}
}

// add adds without waiting.
func (r *replica) add(requestID string, add participant.Add) *pending {
	return r.addAs(r.call(requestID), add)
}

func (r *replica) addAs(call write.Call, add participant.Add) *pending {
	ctx, cancel := context.WithTimeout(context.Background(), long)
	p := &pending{done: make(chan struct{}), cancel: cancel}
	go func() {
		defer cancel()
		defer close(p.done)
		p.added, p.err = r.Add(ctx, call, add)
	}()
	return p
}

type pending struct {
	cancel context.CancelFunc
	done   chan struct{}
	added  write.Added
	err    error
}

func (p *pending) wait() *pending {
	<-p.done
	return p
}

// Begin implements write.Recorder, as the other methods below.
func (r *replica) Begin(context.Context, participant.Key) write.Record { return record{r} }

func (r *replica) BeginControl(context.Context, participant.Key) write.ControlRecord { return nil }

func (r *replica) BringForward(context.Context, participant.Key) {}

type record struct{ replica *replica }

func (record) Before() (func(string) bool, bool) { return nil, false }

func (r record) Done(w participant.Write) {
	r.replica.mu.Lock()
	defer r.replica.mu.Unlock()
	r.replica.written = append(r.replica.written, w.Item.ID)
}

func (r *replica) events() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.written)
}

var errLost = &apierror.Error{Reason: apierror.UpstreamUnavailable, Message: "the connection was cut"}

// long is a limit for what has no promised one.
const long = 20 * time.Second

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(long)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

// want compares an error with what a test wants of it; an empty reason wants none.
func want(t *testing.T, err error, reason apierror.Reason, dialled apierror.Dialled) {
	t.Helper()
	if reason == "" {
		if err != nil {
			t.Errorf("failed: %v", err)
		}
		return
	}
	e := apierror.From(err)
	if err == nil || e.Reason != reason || e.Dialled != dialled {
		t.Errorf("error %v, dialled %q; want %s, %q", err, e.Dialled, reason, dialled)
	}
}
