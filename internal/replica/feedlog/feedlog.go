// Package feedlog is the log of package feed in Redis: it encodes what feeds append to the logs
// of package sharedlog, and decodes what those give.
package feedlog

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
	"github.com/audian/participant-gateway/internal/roster"
)

const (
	// retryAfter is how long after a failure a draft is appended again.
	retryAfter = 100 * time.Millisecond
	// tickTimeout is how long the logical time is waited for. Redis takes less than 1 ms.
	tickTimeout = 300 * time.Millisecond
	// releaseTimeout is how long a lease may take to be given up.
	releaseTimeout = time.Second
)

// Logs implements feed.Logs.
type Logs struct {
	conn   *redisconn.Conn
	shared *sharedlog.Logs
	logger *slog.Logger
}

var _ feed.Logs = (*Logs)(nil)

// New returns the logs that are shared through a connection. All feeds have the same credential,
// the gateway's own, so that it is not part of a log's name.
func New(conn *redisconn.Conn, shared *sharedlog.Logs, logger *slog.Logger) *Logs {
	return &Logs{conn: conn, shared: shared, logger: logger}
}

// Open implements feed.Logs.
func (l *Logs) Open(key participant.Key) feed.Log {
	return &log{
		logs: l, conference: key.Conference, shared: l.shared.Open(name(key)),
		logger: l.logger.With(slog.String("conference_id", key.Conference)),
	}
}

// name returns the part of a conference in the names of keys, which are divided by colons.
func name(key participant.Key) string {
	return base64.RawURLEncoding.EncodeToString([]byte(key.Conference))
}

// Pollers returns which replica polls each conference, as far as that is known, for the operator.
func (l *Logs) Pollers(ctx context.Context, keys []participant.Key) map[participant.Key]string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = name(key)
	}
	pollers := map[participant.Key]string{}
	holders, err := l.shared.Holders(ctx, names)
	if err != nil {
		return pollers
	}
	for i, key := range keys {
		if replica := holders[names[i]]; replica != "" {
			pollers[key] = replica
		}
	}
	return pollers
}

// Request implements feed.Logs.
func (l *Logs) Request(ctx context.Context, key participant.Key, request feed.Request) {
	if err := l.shared.Open(name(key)).Ask(ctx, byte(request)); err != nil {
		l.logger.DebugContext(ctx, "a request did not reach the replica that polls", slog.String("error", err.Error()))
	}
}

// Reachable implements feed.Logs.
func (l *Logs) Reachable() (reachable bool, changed <-chan struct{}) {
	changed = l.conn.Changed()
	return l.conn.Available(), changed
}

// Ahead implements feed.Logs.
func (l *Logs) Ahead() time.Duration { return time.Until(l.conn.Now()) }

// log implements feed.Log.
type log struct {
	logs       *Logs
	conference string
	shared     *sharedlog.Log
	logger     *slog.Logger

	mu sync.Mutex
	// pending is the draft that is being appended, with its id: when it comes back, the draft
	// has more than its encoding, the durations of its list.
	pending   *feed.Draft
	pendingID string
}

// Tick implements feed.Log.
func (l *log) Tick(ctx context.Context, atLeast roster.LogicalTime) (roster.LogicalTime, error) {
	ctx, cancel := context.WithTimeout(ctx, tickTimeout)
	defer cancel()
	tick, err := l.shared.Tick(ctx, uint64(atLeast))
	return roster.LogicalTime(tick), err
}

// Append implements feed.Log. If Redis does not answer, it appends the same draft again until ctx
// ends.
func (l *log) Append(ctx context.Context, draft *feed.Draft) (feed.Result, error) {
	batch, err := encode(draft)
	if err != nil {
		return feed.Result{}, err
	}
	batch.ID = l.logs.shared.NewID()
	l.setPending(draft, batch.ID)
	defer l.setPending(nil, "")
	for {
		result, err := l.shared.Append(ctx, batch)
		if !errors.Is(err, redisconn.ErrUnavailable) {
			return decodeResult(result), err
		}
		select {
		case <-time.After(retryAfter):
		case <-ctx.Done():
			return feed.Result{}, err
		}
	}
}

func (l *log) setPending(draft *feed.Draft, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending, l.pendingID = draft, id
}

// Load implements feed.Log.
func (l *log) Load(ctx context.Context, since feed.Head) (feed.Snapshot, error) {
	snapshot, err := l.shared.Load(ctx, encodeHead(since))
	if err != nil {
		return feed.Snapshot{}, err
	}
	return l.decodeSnapshot(ctx, snapshot), nil
}

// Follow implements feed.Log.
func (l *log) Follow(ctx context.Context, receive func(feed.Update)) {
	l.shared.Follow(ctx, func(u sharedlog.Update) {
		switch {
		case u.Snapshot != nil:
			snapshot := l.decodeSnapshot(ctx, *u.Snapshot)
			receive(feed.Update{Snapshot: &snapshot})
		case u.Commit != nil:
			receive(l.decodeCommit(ctx, u.Commit))
		default:
			receive(feed.Update{Request: feed.Request(u.Asked)})
		}
	})
}

// Lead implements feed.Log.
func (l *log) Lead(ctx context.Context) (feed.Lease, error) {
	held, err := l.shared.Lead(ctx)
	if err != nil {
		return nil, err
	}
	leading, stop := context.WithCancel(ctx)
	go func() {
		select {
		case <-held.Lost():
			stop()
		case <-leading.Done():
		}
	}()
	return &lease{ctx: leading, stop: stop, held: held}, nil
}

// lease implements feed.Lease.
type lease struct {
	ctx  context.Context //nolint:containedctx // A lease is a time in which to work.
	stop context.CancelFunc
	held *sharedlog.Lease
}

func (l *lease) Context() context.Context { return l.ctx }

func (l *lease) Head() feed.Head { return decodeHead(l.held.Head) }

func (l *lease) Release() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), releaseTimeout)
	defer cancel()
	l.stop()
	_ = l.held.Release(ctx) // Else it expires.
}
