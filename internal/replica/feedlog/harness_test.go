package feedlog_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/feedlog"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// interval is the base interval of the feeds.
const interval = 100 * time.Millisecond

// replica is one process: a hub whose feeds share their logs in Redis.
type replica struct {
	hub    *feed.Hub
	logs   *sharedlog.Logs
	shared *feedlog.Logs
	proxy  *redistest.Proxy
	// stop ends the replica.
	stop func()
}

// join starts a replica with a network of its own.
func join(t *testing.T, server *redistest.Server, id string) *replica {
	t.Helper()
	r := &replica{proxy: redistest.NewProxy(t, server.Addr())}
	logger := slog.New(slog.DiscardHandler)
	conn, err := redisconn.Open(t.Context(), redisconn.Options{
		URL: redact.Secret(server.URLAt(r.proxy.Addr())), Prefix: "pgw:", Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.logs = sharedlog.New(sharedlog.Options{Conn: conn, Replica: id, Upstream: "u", Logger: logger})
	r.shared = feedlog.New(conn, r.logs, logger)
	r.hub = feed.NewHub(feed.Options{
		PollInterval: interval, MaxPollInterval: interval, Linger: time.Minute, History: 4096, Logger: logger, Logs: r.shared,
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() { r.logs.Run(ctx) })
	r.stop = sync.OnceFunc(func() {
		r.hub.Close()
		cancel()
		running.Wait()
		if err := conn.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func (r *replica) watch(t *testing.T, upstream *feedtest.Upstream) *feed.Feed {
	t.Helper()
	f, release, err := r.hub.Acquire(t.Context(), upstream, "conf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	eventually(t, "the feed is known and fresh", func() bool { return f.State().Known && !f.State().Stale })
	return f
}

// write makes an Add through a replica succeed.
func (r *replica) add(id string) {
	r.hub.Begin(context.Background(), key()).Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{
		Participant: participant.Participant{ID: id, Status: participant.StatusPending, Name: "Ann", PhoneNumber: "+4930901820"},
		Fields:      participant.AllFields,
	}})
}

func key() participant.Key {
	return participant.Key{Credential: participant.Fingerprint{1}, Conference: "conf"}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: it did not happen in 15 s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// has reports whether feeds show a participant at equal positions.
func has(id string, feeds ...*feed.Feed) bool {
	position := feeds[0].State().Position
	return !slices.ContainsFunc(feeds, func(f *feed.Feed) bool {
		state := f.State()
		_, found := state.People.Find(id)
		return !found || state.Position != position || state.Stale
	})
}
