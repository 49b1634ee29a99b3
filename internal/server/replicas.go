package server

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/batch"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/metrics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/policy"
	"github.com/audian/participant-gateway/internal/replica/feedlog"
	"github.com/audian/participant-gateway/internal/replica/membership"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/sharedclaims"
	"github.com/audian/participant-gateway/internal/replica/sharedcounts"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
	"github.com/audian/participant-gateway/internal/replica/sharedpace"
	"github.com/audian/participant-gateway/internal/upstream"
	"github.com/audian/participant-gateway/internal/write"
)

// leaveTimeout is how long the drain waits for Redis.
const leaveTimeout = time.Second

// replicas are what this process shares with others through Redis. A process that shares nothing
// has none: the methods of nil do nothing.
type replicas struct {
	conn    *redisconn.Conn
	members *membership.Members
	logs    *sharedlog.Logs
	feeds   *feedlog.Logs
	claims  *sharedclaims.Store
	counts  *sharedcounts.Store
	pace    *sharedpace.Pace
	logger  *slog.Logger
	// ctx ends when the process leaves.
	ctx  context.Context //nolint:containedctx // It is that of work that outlives calls.
	stop context.CancelFunc
	// reached reports that Redis could be used once. Later the streams serve without it (R8).
	reached atomic.Bool
}

// openReplicas connects with Redis, if the configuration has one. Redis may be away.
func (s *Server) openReplicas() error {
	cfg := s.config.Redis
	if !cfg.On() {
		return nil
	}
	roots, err := rootsOf(cfg.TLSCAFile)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	conn, err := redisconn.Open(ctx, redisconn.Options{
		URL: cfg.URL, RootCAs: roots, Prefix: cfg.Prefix, Logger: s.logger, Observer: s.metrics,
	})
	if err != nil {
		stop()
		return fmt.Errorf("connect with Redis: %w", err)
	}
	r := &replicas{conn: conn, logger: s.logger, ctx: ctx, stop: stop}
	r.members = membership.Join(ctx, membership.Options{Conn: conn, Logger: s.logger})
	r.logs = sharedlog.New(sharedlog.Options{
		Conn: conn, Replica: r.members.ID(), Upstream: upstreamName(s.upstream.URL), Logger: s.logger, Observer: leases{s.metrics},
	})
	r.feeds = feedlog.New(conn, r.logs, s.logger)
	r.claims = sharedclaims.New(sharedclaims.Options{Conn: conn, Members: r.members, Logger: s.logger})
	r.counts = sharedcounts.New(ctx, conn, s.logger)
	s.metrics.ObserveRedis(conn.Available)
	s.replicas = r
	return nil
}

// leases implements sharedlog.Observer.
type leases struct{ metrics *metrics.Metrics }

func (l leases) LeaseTaken(takeover bool) { l.metrics.LeaseTaken(takeover) }

func (l leases) Refused(outcome sharedlog.Outcome) { l.metrics.CommitRefused(string(outcome)) }

// rootsOf returns the authorities in a file; nil, which means the system's, for no file.
func rootsOf(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // Nil means the system's.
	}
	pem, err := os.ReadFile(file) //nolint:gosec // The operator chooses the file.
	if err != nil {
		return nil, fmt.Errorf("read the authorities of Redis: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return roots, nil
}

// upstreamName names the upstream in keys: replicas share the logs of one upstream only.
func upstreamName(url string) string {
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:4])
}

// feedLogs returns the logs of the feeds; nil if each feed has its own in memory.
func (r *replicas) feedLogs() feed.Logs {
	if r == nil {
		return nil
	}
	return r.feeds
}

// id identifies this process among the replicas; empty for a process that shares nothing.
func (r *replicas) id() string {
	if r == nil {
		return ""
	}
	return r.members.ID()
}

// pollers returns which replica polls each conference, as far as that is known.
func (r *replicas) pollers(ctx context.Context, keys []participant.Key) map[participant.Key]string {
	if r == nil {
		return nil
	}
	return r.feeds.Pollers(ctx, keys)
}

// lastAdd returns how feeds learn when an Add of any replica succeeded (R7); nil without replicas.
func (r *replicas) lastAdd() func(ctx context.Context, conference string) time.Time {
	if r == nil {
		return nil
	}
	return r.claims.LastAdd
}

// claimsOfAdds returns what the replicas share about adds (R6); nil without replicas.
func (r *replicas) claimsOfAdds() write.Shared {
	if r == nil {
		return nil
	}
	return r.claims
}

// batches returns what the replicas share about batches (A9); nil without replicas.
func (r *replicas) batches() batch.Shared {
	if r == nil {
		return nil
	}
	return r.claims
}

// countsOfAdds returns the counter of the callers' adds a day (A14); nil without replicas.
func (r *replicas) countsOfAdds() policy.Counter {
	if r == nil {
		return nil
	}
	return r.counts
}

// shareAccount makes the account share its pace (R5) and the token of its API key (R10).
func (r *replicas) shareAccount(options *upstream.Options, cfg config.Upstream, pollRate int) error {
	if r == nil {
		return nil
	}
	r.pace = sharedpace.New(r.ctx, sharedpace.Options{
		Conn: r.conn, Account: upstreamName(cfg.URL), Replica: r.members.ID(), Replicas: r.members.Count,
		PollRate: float64(pollRate), Logger: r.logger,
	})
	options.Shared = r.pace.Shared()
	if cfg.APIKey == "" {
		return nil
	}
	tokens, err := sharedclaims.NewTokens(r.conn, cfg.APIKey)
	if err != nil {
		return fmt.Errorf("share the token: %w", err)
	}
	options.Tokens = r.pace.Tokens(tokens)
	return nil
}

// notReady returns why the process should get no calls: Redis could not be used since its start.
func (r *replicas) notReady() error {
	if r == nil || r.reached.Load() {
		return nil
	}
	if err := r.conn.Err(); err != nil {
		return err
	}
	r.reached.Store(true)
	return nil
}

// retire gives up the conferences that this process polls (R4), if another replica can poll them.
func (r *replicas) retire(ctx context.Context) {
	if r == nil || r.members.Count() == 1 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	r.logs.Retire(ctx)
}

// leave ends what openReplicas began.
func (r *replicas) leave(ctx context.Context) {
	if r == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	r.claims.Close()
	r.counts.Close()
	r.pace.Close()
	if err := r.members.Leave(ctx); err != nil {
		r.logger.Warn("leave the replicas", slog.String("error", err.Error()))
	}
	r.stop()
	if err := r.conn.Close(); err != nil {
		r.logger.Warn("close the connection with Redis", slog.String("error", err.Error()))
	}
}
