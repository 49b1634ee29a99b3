// Package sharedcounts counts the adds of each caller and day for all replicas (A14), in Redis and
// by its clock (R12). While Redis is unavailable it counts nothing.
//
// The scripts use the keys PREFIXadds:day:DAY:CALLER, a count, and PREFIXadds:counted:ID, which
// says whether one add is in it. Each key expires. They use the commands EXISTS, GET, INCR, INCRBY,
// PEXPIRE and SET.
package sharedcounts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
)

const (
	// countLifetime is that of a day's count after its last change: more than the rest of a day.
	countLifetime = 48 * time.Hour
	// addLifetime is how long one add can be given back: much longer than a request takes.
	addLifetime = 10 * time.Minute
	// callTimeout bounds each call of Redis.
	callTimeout = time.Second
	// retryEvery is how often Redis is called again while it seems to work, but calls fail.
	retryEvery = 200 * time.Millisecond
)

// Store counts for this replica. It is safe for concurrent use.
type Store struct {
	conn    *redisconn.Conn
	logger  *slog.Logger
	ctx     context.Context //nolint:containedctx // It is that of work that outlives calls.
	stop    context.CancelFunc
	running sync.WaitGroup
}

// New returns a store until Close. Redis may be away.
func New(ctx context.Context, conn *redisconn.Conn, logger *slog.Logger) *Store {
	s := &Store{conn: conn, logger: logger}
	s.ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	return s
}

// Close ends the calls of Redis. No add may be counted or given back later.
func (s *Store) Close() {
	s.stop()
	s.running.Wait()
}

// Now returns Redis' time.
func (s *Store) Now() time.Time { return s.conn.Now() }

// Count returns the adds of a caller on a day.
func (s *Store) Count(ctx context.Context, caller, day string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	count, err := s.conn.Client().Get(ctx, s.countKey(caller, day)).Int()
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, fmt.Errorf("read the count of a day: %w", err)
	}
	return count, nil
}

// Add counts one add more, unless limit are counted already. giveBack undoes it: now, or else as
// soon as Redis can be used again.
func (s *Store) Add(ctx context.Context, caller, day string, limit int) (giveBack func(), counted bool, err error) {
	if err := s.conn.Err(); err != nil {
		return nil, false, fmt.Errorf("count an add of a day: %w", err)
	}
	keys := []string{s.countKey(caller, day), s.conn.Key("adds", "counted", rand.Text())}
	called, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := s.conn.Run(called, addScript, keys, strconv.Itoa(limit), countLifetime.Milliseconds(), addLifetime.Milliseconds())
	giveBack = func() { s.giveBack(keys) } //nolint:contextcheck // It outlives the call.
	if err != nil {
		// The call may have run.
		s.running.Go(giveBack)
		return nil, false, fmt.Errorf("count an add of a day: %w", err)
	}
	return giveBack, reply == int64(1), nil
}

func (s *Store) countKey(caller, day string) string { return s.conn.Key("adds", "day", day, caller) }

// giveBack gives an add back. While Redis is unavailable it tries again in the background.
func (s *Store) giveBack(keys []string) {
	if s.tryGiveBack(keys) {
		return
	}
	s.running.Go(func() {
		_ = panics.Recover(s.logger, "give an add of a day back", func() { s.giveBackLater(keys) })
	})
}

func (s *Store) tryGiveBack(keys []string) bool {
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	_, err := s.conn.Run(ctx, giveBackScript, keys, addLifetime.Milliseconds())
	return err == nil
}

// giveBackLater tries until the add cannot be given back any more.
func (s *Store) giveBackLater(keys []string) {
	ctx, cancel := context.WithTimeout(s.ctx, addLifetime)
	defer cancel()
	for done := false; !done && s.awaitRedis(ctx); {
		done = s.tryGiveBack(keys)
	}
}

// awaitRedis returns when Redis may be usable again, or false if ctx ends first.
func (s *Store) awaitRedis(ctx context.Context) bool {
	changed := s.conn.Changed()
	var soon <-chan time.Time
	if s.conn.Available() {
		timer := time.NewTimer(retryEvery)
		defer timer.Stop()
		soon = timer.C
	}
	select {
	case <-changed:
	case <-soon:
	case <-ctx.Done():
		return false
	}
	return true
}
