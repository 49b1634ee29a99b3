package sharedcounts_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/policy"
	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedcounts"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ policy.Counter = (*sharedcounts.Store)(nil)

const (
	prefix = "t:"
	day    = "2026-11-27"
)

// replica is the store of one process, with a network and a clock of its own.
type replica struct {
	*sharedcounts.Store

	conn    *redisconn.Conn
	network *redistest.Proxy
}

// start starts replicas whose clocks differ by a minute (R12). Their user has the rights of
// docs/operations.md and no others.
func start(t *testing.T, count int) (redis *redistest.Server, replicas []*replica) {
	t.Helper()
	acl := "user gateway on >pw " + strings.Join(redisconn.ACL(prefix), " ")
	redis = redistest.Start(t, redistest.Options{ACL: []string{acl}})
	for n := range count {
		network, skew := redistest.NewProxy(t, redis.Addr()), time.Duration(n)*time.Minute
		conn, err := redisconn.Open(t.Context(), redisconn.Options{
			URL: redact.Secret("redis://gateway:pw@" + network.Addr()), Prefix: prefix, Logger: slog.New(slog.DiscardHandler),
			Now: func() time.Time { return time.Now().Add(skew) },
		})
		if err != nil {
			t.Fatal(err)
		}
		r := &replica{sharedcounts.New(t.Context(), conn, slog.New(slog.DiscardHandler)), conn, network}
		t.Cleanup(func() {
			r.Close()
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		})
		replicas = append(replicas, r)
	}
	return redis, replicas
}

// add counts an add of the day, and reports whether that was allowed.
func (r *replica) add(t *testing.T, caller string, limit int) (giveBack func(), counted bool) {
	t.Helper()
	giveBack, counted, err := r.Add(t.Context(), caller, day, limit)
	if err != nil {
		t.Fatal(err)
	}
	return giveBack, counted
}

func (r *replica) expect(t *testing.T, caller, day string, want int) {
	t.Helper()
	if got, err := r.Count(t.Context(), caller, day); err != nil || got != want {
		t.Errorf("%s on %s: counted %d, %v, want %d", caller, day, got, err, want)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	late, tick := time.NewTimer(20*time.Second), time.NewTicker(10*time.Millisecond)
	defer late.Stop()
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatal("never: " + what)
		}
	}
}

func TestA14_AllReplicasCountTogether(t *testing.T) {
	_, replicas := start(t, 3)
	const limit = 30
	var allowed atomic.Int32
	var adding sync.WaitGroup
	for n := range 90 {
		adding.Go(func() {
			_, counted, err := replicas[n%3].Add(t.Context(), "desk", day, limit)
			if err != nil {
				t.Error(err)
			}
			if counted {
				allowed.Add(1)
			}
		})
	}
	adding.Wait()
	if allowed.Load() != limit {
		t.Errorf("%d adds of %d are counted", allowed.Load(), limit)
	}
	for _, r := range replicas {
		r.expect(t, "desk", day, limit)
	}
}

func TestA14_CallersAndDaysHaveTheirOwnCounts(t *testing.T) {
	_, replicas := start(t, 2)
	names := []string{"desk", "desk:2", "2026-11-27:desk", "https://id.example/~ada", "*"}
	for i, name := range names {
		for range i + 1 {
			if _, counted := replicas[0].add(t, name, 9); !counted {
				t.Errorf("%s is refused", name)
			}
		}
	}
	for i, name := range names {
		replicas[1].expect(t, name, day, i+1)
		replicas[1].expect(t, name, "2026-11-28", 0)
	}
}

func TestA14_WhatIsGivenBackIsLeftToEveryReplica(t *testing.T) {
	redis, replicas := start(t, 2)
	giveBack, _ := replicas[0].add(t, "desk", 1)
	if _, counted := replicas[1].add(t, "desk", 1); counted {
		t.Error("more than the limit is counted")
	}
	giveBack()
	replicas[1].expect(t, "desk", day, 0)
	giveBack() // A call that is lost may be repeated.
	again, counted := replicas[1].add(t, "desk", 1)
	if !counted {
		t.Error("what was given back is not left")
	}
	giveBack()
	replicas[0].expect(t, "desk", day, 1)

	// The count of another Redis does not contain it.
	redis.Flush()
	again()
	replicas[0].expect(t, "desk", day, 0)
}

// A call of Redis that fails may have run.
func TestA14_AnAddThatCouldNotBeCountedIsGivenBack(t *testing.T) {
	redis, replicas := start(t, 2)
	replicas[0].add(t, "desk", 9)
	redis.Pause()
	if _, _, err := replicas[0].Add(t.Context(), "desk", day, 9); !errors.Is(err, redisconn.ErrUnavailable) {
		t.Errorf("a Redis that hangs: %v", err)
	}
	if _, err := replicas[1].Count(t.Context(), "desk", day); !errors.Is(err, redisconn.ErrUnavailable) {
		t.Errorf("a Redis that hangs: %v", err)
	}
	redis.Continue() // It runs what it has received.
	eventually(t, "Redis is back", func() bool { return replicas[0].conn.Available() && replicas[1].conn.Available() })
	added, counted := replicas[0].add(t, "desk", 9)
	if !counted {
		t.Error("refused")
	}
	added()
	eventually(t, "only the first add is counted", func() bool {
		count, err := replicas[1].Count(t.Context(), "desk", day)
		return err == nil && count == 1
	})
}

func TestA14_WhatIsGivenBackWhileRedisIsAwayIsGivenBackLater(t *testing.T) {
	_, replicas := start(t, 2)
	giveBack, _ := replicas[0].add(t, "desk", 9)
	replicas[0].network.Cut()
	eventually(t, "it is cut off", func() bool {
		_, err := replicas[0].Count(t.Context(), "desk", day)
		return err != nil
	})
	giveBack()
	replicas[1].expect(t, "desk", day, 1)
	replicas[0].network.Restore()
	eventually(t, "it is given back", func() bool {
		count, err := replicas[1].Count(t.Context(), "desk", day)
		return err == nil && count == 0
	})
}

func TestA14_WhileRedisIsAwayNothingIsCounted(t *testing.T) {
	redis, replicas := start(t, 1)
	redis.Kill()
	caller := policy.New(policy.Options{Counter: replicas[0]}).For("desk", policy.Rules{AddsPerDay: 9})
	for range 3 {
		_, counting := caller.Count(t.Context())
		for _, err := range []error{caller.Check(t.Context()), counting} {
			if e, _ := errors.AsType[*apierror.Error](err); e == nil || e.Reason != apierror.SharedStateUnavailable || e.Dialled != apierror.DialledNo {
				t.Errorf("got %v", err)
			}
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := caller.Count(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that has ended: %v", err)
	}
}

func TestR09_EachKeyOfACountExpires(t *testing.T) {
	redis, replicas := start(t, 1)
	giveBack, _ := replicas[0].add(t, "desk", 9)
	replicas[0].add(t, "desk", 9)
	giveBack()
	keys, err := redis.Client().Keys(t.Context(), prefix+"adds:*").Result()
	if err != nil || len(keys) != 3 {
		t.Fatalf("got %q, %v", keys, err)
	}
	for _, key := range keys {
		most := 10 * time.Minute
		if strings.Contains(key, ":day:") {
			most = 48 * time.Hour
		}
		if ttl, err := redis.Client().PTTL(t.Context(), key).Result(); err != nil || ttl <= 0 || ttl > most {
			t.Errorf("%s expires after %v, %v", key, ttl, err)
		}
	}
}

func TestR12_DaysAreThoseOfRedis(t *testing.T) {
	_, replicas := start(t, 2)
	for n, r := range replicas {
		if off := time.Since(r.Now()).Abs(); off > 5*time.Second {
			t.Errorf("replica %d is %v off", n, off)
		}
	}
}
