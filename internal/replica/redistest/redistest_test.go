package redistest_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/internal/replica/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServerRestartsWithAndWithoutItsData(t *testing.T) {
	for name, test := range map[string]struct {
		options  redistest.Options
		keepData bool
		want     any
	}{
		"kept":        {redistest.Options{AppendOnly: true}, true, "v"},
		"erased":      {redistest.Options{AppendOnly: true}, false, nil},
		"memory only": {redistest.Options{Password: "pw"}, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := redistest.Start(t, test.options)
			s.Do("SET", "k", "v")
			s.Restart(test.keepData)
			if got := s.Do("GET", "k"); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestServerReplicates(t *testing.T) {
	primary, replica := redistest.Start(t, redistest.Options{Password: "pw"}), redistest.Start(t, redistest.Options{})
	primary.Do("SET", "k", "v")
	replica.ReplicaOf(primary)
	if got := replica.Do("GET", "k"); got != "v" {
		t.Errorf("the replica has %v", got)
	}
	replica.Promote()
	replica.Do("SET", "k", "w")
	if got := primary.Do("GET", "k"); got != "v" {
		t.Errorf("the old primary has %v", got)
	}
}

// call asks for a key by way of a new connection, within a limit.
func call(t *testing.T, addr string, limit time.Duration) error {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true, Protocol: 2})
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return client.Get(ctx, "k").Err()
}

func TestFaults(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	s.Do("SET", "k", "v")
	proxy := redistest.NewProxy(t, s.Addr())
	const short = 200 * time.Millisecond
	for name, test := range map[string]struct {
		begin, end func()
		timeout    bool
	}{
		"cut":    {proxy.Cut, proxy.Restore, false},
		"stall":  {proxy.Stall, proxy.Restore, true},
		"delay":  {func() { proxy.Delay(2 * short) }, proxy.Restore, true},
		"paused": {s.Pause, s.Continue, true},
		"killed": {s.Kill, func() { s.Run(); s.Do("SET", "k", "v") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			test.begin()
			err := call(t, proxy.Addr(), short)
			timeout, ok := errors.AsType[net.Error](err)
			if ok = ok && timeout.Timeout(); err == nil || ok != test.timeout {
				t.Errorf("meanwhile: %v", err)
			}
			test.end()
			if err := call(t, proxy.Addr(), 10*time.Second); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestReplaceChangesAnswers(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, s.Addr())
	proxy.Replace("PONG", "GONG")
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), Protocol: 2})
	defer client.Close()
	if got := client.Ping(t.Context()).Val(); got != "GONG" {
		t.Errorf("got %q", got)
	}
}
