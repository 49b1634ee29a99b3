package replicahistories_test

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/audian/participant-gateway/internal/answer"
	"github.com/audian/participant-gateway/internal/batch"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/policy"
	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/feedlog"
	"github.com/audian/participant-gateway/internal/replica/membership"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedclaims"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
	"github.com/audian/participant-gateway/internal/replica/sharedpace"
	"github.com/audian/participant-gateway/internal/service"
	"github.com/audian/participant-gateway/internal/upstream"
	"github.com/audian/participant-gateway/internal/upstream/audian"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/write"
)

const (
	pollInterval = 150 * time.Millisecond
	maxInterval  = 400 * time.Millisecond
	apiKey       = "the-key-of-the-account"
)

// replica is one gateway without ports, connected as in package server.
type replica struct {
	*service.Service

	world *world
	name  string
	// version is that of the log's format. Replicas of another version have another log.
	version int
	gate    *gate
	proxy   *redistest.Proxy

	conn    *redisconn.Conn
	members *membership.Members
	logs    *sharedlog.Logs
	claims  *sharedclaims.Store
	pace    *sharedpace.Pace
	hub     *feed.Hub
	writer  *write.Writer
	// epoch and observedAt are those of the last state in the ledger. world.mu guards them.
	epoch      feed.Epoch
	observedAt time.Time
	// leases ends with stop.
	leases chan struct{}
	stop   context.CancelFunc
}

// startReplica starts a replica whose local clock is wrong by skew.
func (w *world) startReplica(version int, skew time.Duration) (*replica, error) {
	w.started++
	r := &replica{
		world: w, name: fmt.Sprintf("replica %d of version %d", w.started, version), version: version,
		gate: newGate(), proxy: redistest.NewProxy(w.t, w.redis.Addr()), leases: make(chan struct{}),
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	var err error
	r.conn, err = redisconn.Open(ctx, redisconn.Options{
		URL: redact.Secret(w.redis.URLAt(r.proxy.Addr())), Prefix: prefix, Logger: w.logger,
		Now: func() time.Time { return time.Now().Add(skew) },
	})
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	r.share(ctx)
	account, err := r.account(ctx)
	if err != nil {
		return nil, err
	}
	r.serve(account)
	return r, nil
}

// share opens what the replicas share.
func (r *replica) share(ctx context.Context) {
	r.members = membership.Join(ctx, membership.Options{Conn: r.conn, Logger: r.world.logger})
	r.logs = sharedlog.New(sharedlog.Options{
		Conn: r.conn, Replica: r.members.ID(), Upstream: fmt.Sprintf("version%d", r.version), Logger: r.world.logger, Observer: observer{r.world},
	})
	r.claims = sharedclaims.New(sharedclaims.Options{Conn: r.conn, Members: r.members, Logger: r.world.logger})
	go func() {
		defer close(r.leases)
		r.logs.Run(ctx)
	}()
}

// account opens the upstream account with what is shared of it.
func (r *replica) account(ctx context.Context) (*upstream.Registry, error) {
	r.pace = sharedpace.New(ctx, sharedpace.Options{
		Conn: r.conn, Account: "account", Replica: r.members.ID(), Replicas: r.members.Count, PollRate: pollRate, Logger: r.world.logger,
	})
	tokens, err := sharedclaims.NewTokens(r.conn, apiKey)
	if err != nil {
		return nil, fmt.Errorf("share the token: %w", err)
	}
	registry, err := upstream.NewRegistry(audian.APIKey(apiKey), upstream.Options{
		BaseURL: &url.URL{Scheme: "http", Host: "upstream", Path: "/v2"}, Transport: transport{r}, PollRate: pollRate,
		Shared: r.pace.Shared(), Tokens: r.pace.Tokens(tokens), Logger: r.world.logger,
	})
	if err != nil {
		return nil, fmt.Errorf("open the account: %w", err)
	}
	return registry, nil
}

// pollRate is high, so that the short intervals are those in force.
const pollRate = 200

func (r *replica) serve(registry *upstream.Registry) {
	r.hub = feed.NewHub(feed.Options{
		PollInterval: pollInterval, MaxPollInterval: maxInterval, Linger: 2 * time.Second, History: 4096,
		Logs: heldLogs{feedlog.New(r.conn, r.logs, r.world.logger), r.gate}, LastAdd: r.claims.LastAdd, Logger: r.world.logger,
	})
	r.writer = write.New(write.Options{
		Recorder: recorder{r.hub}, Shared: r.claims, Logger: r.world.logger, SearchTimeout: 3 * time.Second,
	})
	r.Service = service.New(service.Options{
		Accounts: accounts{r, registry}, Writer: r.writer, Watcher: watch.NewWatcher(r.hub, watch.Limits{}), Feeds: r.hub,
		Answers: answer.New(r.hub, nil), Policy: policy.New(policy.Options{}),
		Batches: batch.New(batch.Options{Adder: r.writer, Shared: r.claims, Interval: upstream.AddInterval, Logger: r.world.logger}),
	})
}

// state returns the state of the conference's feed, nil if there is no feed.
func (r *replica) state() (state *feed.State) {
	r.hub.Each(func(_ participant.Key, held *feed.State) { state = held })
	return state
}

// goesOn fails if a state contains an older list than the one before (R3). world.mu is held.
func (r *replica) goesOn(state *feed.State) error {
	if back := r.observedAt.Sub(state.ObservedAt); r.epoch == state.Position.Epoch && back > clockError/10 {
		return fmt.Errorf("R3: a list was applied that began %s before the one before", back)
	}
	r.epoch, r.observedAt = state.Position.Epoch, state.ObservedAt
	return nil
}

// polls reports whether the replica has the lease.
func (r *replica) polls() bool {
	state := r.state()
	return state != nil && state.Polled
}

// kill ends the replica without a word to anybody.
func (r *replica) kill() {
	close(r.gate.killed)
	r.proxy.Cut()
	r.world.background.Go(r.close)
}

// drain ends the replica as SIGTERM does (R4).
func (r *replica) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	r.logs.Retire(ctx)
	r.world.closeStreams(r)
	r.world.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = r.writer.Drain(ctx)
		r.close()
	})
}

func (r *replica) close() {
	r.writer.Close()
	r.hub.Close()
	r.claims.Close()
	r.pace.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = r.members.Leave(ctx) // A replica that was killed cannot say it.
	r.stop()
	<-r.leases
	_ = r.conn.Close()
}

// observer counts what the logs refuse.
type observer struct{ world *world }

func (o observer) LeaseTaken(takeover bool) {
	if takeover {
		o.world.seen.add(tookOver)
	}
}

func (o observer) Refused(outcome sharedlog.Outcome) {
	if outcome == sharedlog.Fenced {
		o.world.seen.add(fenced)
	}
}
