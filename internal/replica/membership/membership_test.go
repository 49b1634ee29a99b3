package membership_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/membership"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// replica is a process of the gateway, with a network of its own.
type replica struct {
	*membership.Members

	network *redistest.Proxy
}

// join makes a replica whose local clock is skewed.
func join(t *testing.T, s *redistest.Server, skew time.Duration) *replica {
	t.Helper()
	network := redistest.NewProxy(t, s.Addr())
	conn, err := redisconn.Open(t.Context(), redisconn.Options{
		URL: redact.Secret(s.URLAt(network.Addr())), Prefix: "t:", Logger: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return time.Now().Add(skew) },
	})
	if err != nil {
		t.Fatal(err)
	}
	m := membership.Join(t.Context(), membership.Options{Conn: conn, Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		_ = m.Leave(context.WithoutCancel(t.Context())) // A test may have ended it, or Redis.
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return &replica{m, network}
}

// within waits for a condition, which must hold within a limit.
func within(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(limit), time.NewTicker(5*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s", limit, what)
		case <-tick.C:
		}
	}
}

// throughout checks a condition for a while.
func throughout(t *testing.T, duration time.Duration, what string, holds func() bool) {
	t.Helper()
	end, tick := time.NewTimer(duration), time.NewTicker(5*time.Millisecond)
	defer end.Stop()
	defer tick.Stop()
	for {
		if !holds() {
			t.Fatalf("not all the time: %s", what)
		}
		select {
		case <-end.C:
			return
		case <-tick.C:
		}
	}
}

func TestR08_TheReplicasLastSeenAreKnownWithin3s(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	// A minute of skew changes nothing (R12).
	first, second, third := join(t, s, 0), join(t, s, -time.Minute), join(t, s, time.Minute)
	all := []*replica{first, second, third}
	within(t, 3*time.Second, "three replicas", func() bool {
		return first.Count() == 3 && second.Count() == 3 && third.Count() == 3
	})
	for _, one := range all {
		for _, other := range all {
			if !one.Alive(other.ID()) {
				t.Errorf("%s does not know %s", one.ID(), other.ID())
			}
		}
	}
	third.network.Cut()
	within(t, 3*time.Second, "a replica without a network is not alive", func() bool {
		return first.Count() == 2 && second.Count() == 2 && !first.Alive(third.ID())
	})
	// The one that is cut off keeps those that it saw last.
	if third.Count() != 3 || !third.Alive(first.ID()) {
		t.Errorf("the replica without a network counts %d", third.Count())
	}
	third.network.Restore()
	within(t, 3*time.Second, "it is back", func() bool { return first.Count() == 3 && second.Count() == 3 })
}

func TestR04_AReplicaThatLeavesIsKnownAtOnce(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	first, second := join(t, s, 0), join(t, s, 0)
	within(t, 3*time.Second, "two replicas", func() bool { return first.Count() == 2 })
	if err := second.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	within(t, time.Second, "one replica", func() bool { return first.Count() == 1 && !first.Alive(second.ID()) })
}

func TestR08_TheReplicasStayWhileRedisIsAway(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	first, second := join(t, s, 0), join(t, s, 0)
	within(t, 3*time.Second, "two replicas", func() bool { return first.Count() == 2 && second.Count() == 2 })
	s.Kill()
	two := func() bool { return first.Count() == 2 && second.Count() == 2 }
	throughout(t, 3*time.Second, "two replicas while Redis is away", two)
	s.Run()
	throughout(t, 3*time.Second, "two replicas with an empty Redis", two)
}

func TestOneReplicaWithoutRedis(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	s.Kill()
	m := join(t, s, 0)
	if m.Count() != 1 || !m.Alive(m.ID()) || m.Alive("another") {
		t.Errorf("%d replicas", m.Count())
	}
}

func TestR09_TheKeyExpires(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	join(t, s, 0)
	keys, _ := s.Do("KEYS", "*").([]any)
	if len(keys) != 1 {
		t.Fatalf("keys %v", keys)
	}
	for _, key := range keys {
		if ttl, _ := s.Do("PTTL", key).(int64); ttl <= 0 || ttl > time.Minute.Milliseconds() {
			t.Errorf("%v lives %d ms", key, ttl)
		}
	}
}
