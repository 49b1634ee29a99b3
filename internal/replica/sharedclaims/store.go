// Package sharedclaims is what replicas share about adds (R6): the claims on request ids with
// their outcomes, the batches that are held, the adds that were sent and have no outcome, who created which participant
// (A1), when a conference's last add succeeded (R7), and the exchanged token (R10).
//
// Keys, behind the prefix; each expires ten minutes after its last change, unless noted:
//
//	claim:id:HASH             a claim, by the hash of its scope (claim.lua)
//	claim:batch:HASH          a batch, by the hash of its scope (keepbatch.lua)
//	claim:adds:CONF           the adds of a conference without an outcome (mark.lua)
//	claim:times:CONF          when each was sent
//	claim:participant:CONF:ID which add created a participant, or may have (settle.lua)
//	claim:lastadd:CONF        when the last add succeeded; ten seconds
//	claim:token, claim:lock   the encrypted token, a day; the lock of its exchange, six seconds
//
// CONF and ID are base64url. The channel claim:ended carries the keys of claims that have ended.
// Scripts call INFO, TIME, EXISTS, GET, SET, DEL, PEXPIRE, HGET, HMGET, HGETALL, HSET, HDEL,
// HINCRBY, ZADD, ZREM, ZRANGE and PUBLISH; WAIT, GET and SET are sent directly too.
package sharedclaims

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
)

const (
	// lifetime is that of claims after their last change (A2), and freeLifetime that of a free
	// claim: longer than any caller waits before it reads it again.
	lifetime     = 10 * time.Minute
	freeLifetime = 10 * time.Second
	// rereadInterval is how often a caller that waits reads the claim, in case the message that
	// it has ended was lost.
	rereadInterval = time.Second
	// settleDown is how long this replica claims nothing after another Redis has taken over: the
	// other replicas write their claims again.
	settleDown = 2 * time.Second
)

// Members are the replicas.
type Members interface {
	// ID identifies this process.
	ID() string
	// Alive reports whether a replica is alive.
	Alive(id string) bool
}

// Options configure a Store.
type Options struct {
	Conn    *redisconn.Conn
	Members Members
	Logger  *slog.Logger
}

// Store implements write.Shared and batch.Shared.
type Store struct {
	conn    *redisconn.Conn
	members Members
	log     *slog.Logger
	waiters waiters
	own     ownClaims

	stop    context.CancelFunc
	leave   func()
	running sync.WaitGroup

	// syncing is held while this replica's claims are written to another Redis.
	syncing sync.Mutex

	mu sync.Mutex
	// run is the Redis that has this replica's claims, and claimAfter when it may claim there.
	run        string
	claimAfter time.Time
}

// New returns a Store. Close ends it.
func New(options Options) *Store {
	ctx, stop := context.WithCancel(context.Background())
	s := &Store{
		conn: options.Conn, members: options.Members, log: options.Logger, run: options.Conn.RunID(), stop: stop, own: newOwnClaims(),
	}
	s.leave = s.conn.Subscribe(s.channel(), s.waiters.wakeAll, func(key []byte) { s.waiters.wake(string(key)) })
	s.running.Go(func() { s.keep(ctx) })
	return s
}

// Close ends the background work.
func (s *Store) Close() {
	s.leave()
	s.stop()
	s.running.Wait()
}

func (s *Store) channel() string { return s.conn.Key("claim", "ended") }

// keep writes what Redis does not have yet, until ctx ends.
func (s *Store) keep(ctx context.Context) {
	ticker := time.NewTicker(rereadInterval)
	defer ticker.Stop()
	for {
		changed := s.conn.Changed()
		if s.conn.Available() {
			_ = panics.Recover(s.log, "shared claims", func() { s.catchUp(ctx) })
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-s.own.changed:
		case <-ticker.C:
		}
	}
}

func (s *Store) catchUp(ctx context.Context) {
	if err := s.sync(ctx, s.conn.RunID()); err != nil {
		return
	}
	for _, c := range s.own.unsettled(time.Now()) {
		if _, err := c.writeEnd(ctx); errors.Is(err, redisconn.ErrUnavailable) {
			return
		}
	}
}

// sync writes this replica's claims to a Redis that took over from another.
func (s *Store) sync(ctx context.Context, run string) error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	if s.currentRun() == run {
		return nil
	}
	for _, c := range s.own.all(time.Now()) {
		if err := c.restore(ctx); errors.Is(err, redisconn.ErrUnavailable) {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != "" {
		s.claimAfter = time.Now().Add(settleDown)
	}
	s.run = run
	return nil
}

func (s *Store) currentRun() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.run
}

// settled waits until this replica may claim.
func (s *Store) settled(ctx context.Context) error {
	s.mu.Lock()
	wait := time.Until(s.claimAfter)
	s.mu.Unlock()
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// runOn calls a script that compares the run id, and again if another Redis has taken over
// and has this replica's claims.
func (s *Store) runOn(ctx context.Context, call func(run string) (reply, error)) (reply, error) {
	for range 3 {
		r, err := call(s.currentRun())
		if err != nil || r.word() != "run" {
			return r, err
		}
		if err := s.sync(ctx, r.text(1)); err != nil {
			return nil, err
		}
	}
	return nil, redisconn.ErrUnavailable
}

// localTime returns a time of Redis as the local clock has it (R12).
func (s *Store) localTime(at time.Time) time.Time { return time.Now().Add(-s.conn.Now().Sub(at)) }
