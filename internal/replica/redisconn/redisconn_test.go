package redisconn_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
)

var get = redisconn.NewScript("get", `return redis.call('GET', KEYS[1])`)

func TestR08_CallsEndSoonWhileRedisIsAway(t *testing.T) {
	s := redistest.Start(t, redistest.Options{AppendOnly: true})
	proxy := redistest.NewProxy(t, s.Addr())
	c := open(t, s.URLAt(proxy.Addr()))
	for name, test := range map[string]struct{ begin, end func() }{
		"cut":    {proxy.Cut, proxy.Restore},
		"stall":  {proxy.Stall, proxy.Restore},
		"paused": {s.Pause, s.Continue},
		"killed": {s.Kill, s.Run},
	} {
		t.Run(name, func(t *testing.T) {
			eventually(t, long, "available", c.Available)
			test.begin()
			for _, when := range []string{"not known yet", "known"} {
				began := time.Now()
				if _, err := c.Run(t.Context(), get, []string{c.Key("k")}); !errors.Is(err, redisconn.ErrUnavailable) {
					t.Errorf("%s: got %v", when, err)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("%s: took %s", when, took)
				}
				eventually(t, 3*time.Second, "known", func() bool { return !c.Available() })
			}
			test.end()
			eventually(t, 3*time.Second, "available again", c.Available)
			if _, err := c.Run(t.Context(), get, []string{c.Key("k")}); !errors.Is(err, redis.Nil) {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestR08_AnIdleProcessNoticesThatRedisIsAway(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	c := open(t, s.URL())
	changed := c.Changed()
	s.Pause()
	defer s.Continue()
	select {
	case <-changed:
	case <-time.After(3 * time.Second):
		t.Fatal("no change within 3 s")
	}
	if c.Available() {
		t.Error("Redis is still available")
	}
}

func TestR08_AProcessStartsWithoutRedis(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, s.Addr())
	proxy.Cut()
	var log buffer
	c := open(t, s.URLAt(proxy.Addr()), func(o *redisconn.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	if err := c.Err(); !errors.Is(err, redisconn.ErrUnavailable) || c.RunID() != "" {
		t.Errorf("got %v, run_id %q", err, c.RunID())
	}
	first := c.Err().Error()
	proxy.Stall()
	eventually(t, 3*time.Second, "another failure", func() bool { return c.Err().Error() != first })
	proxy.Restore()
	eventually(t, 3*time.Second, "available", c.Available)
	if text := log.String(); strings.Count(text, "Redis cannot be used") != 1 || strings.Count(text, "Redis can be used") != 1 {
		t.Errorf("logged %s", text)
	}
}

func TestR08_EachProcessOfRedisHasItsRunID(t *testing.T) {
	s := redistest.Start(t, redistest.Options{AppendOnly: true})
	c := open(t, s.URL())
	first := c.RunID()
	if info, _ := s.Do("INFO", "server").(string); first == "" || !strings.Contains(info, "run_id:"+first) {
		t.Errorf("run_id %q", first)
	}
	s.Restart(true)
	eventually(t, 3*time.Second, "another run_id", func() bool { return c.Available() && c.RunID() != first })
}

func TestReplicasOfRedisAreCounted(t *testing.T) {
	primary, replica := redistest.Start(t, redistest.Options{}), redistest.Start(t, redistest.Options{})
	c := open(t, primary.URL())
	if n := c.Replicas(); n != 0 {
		t.Errorf("%d replicas", n)
	}
	replica.ReplicaOf(primary)
	primary.Do("SET", "written", "1") // Gateways write all the time.
	eventually(t, 5*time.Second, "one replica", func() bool { return c.Replicas() == 1 })
}

func TestScripts(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	seen := &calls{counts: map[string]int{}}
	c := open(t, s.URL(), func(o *redisconn.Options) { o.Observer = seen })
	incr := redisconn.NewScript("incr", `return redis.call('INCR', KEYS[1])`)
	for want := int64(1); want <= 3; want++ {
		if got, err := c.Run(t.Context(), incr, []string{c.Key("n")}); got != want || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
		s.Do("SCRIPT", "FLUSH")
	}
	s.Do("SET", prefix+"text", "x")
	_, err := c.Run(t.Context(), incr, []string{c.Key("text")})
	if err == nil || errors.Is(err, redisconn.ErrUnavailable) {
		t.Errorf("an error reply is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Run(ctx, incr, []string{c.Key("n")}); !errors.Is(err, context.Canceled) || errors.Is(err, redisconn.ErrUnavailable) {
		t.Errorf("a cancelled call is %v", err)
	}
	if seen.count("incr ok") < 3 || seen.count("incr error") != 1 || seen.count("incr cancelled") != 1 {
		t.Errorf("observed %v", seen.counts)
	}
	if !c.Available() {
		t.Error(c.Err())
	}
}

func TestPipelinesAreLimitedAndClassified(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, s.Addr())
	c := open(t, s.URLAt(proxy.Addr()))
	pipe := c.Client().Pipeline()
	set, wrong := pipe.Set(t.Context(), c.Key("k"), "v", time.Minute), pipe.HGetAll(t.Context(), c.Key("k"))
	if _, err := pipe.Exec(t.Context()); err == nil || errors.Is(err, redisconn.ErrUnavailable) {
		t.Errorf("the pipeline: %v", err)
	}
	if set.Err() != nil || wrong.Err() == nil || errors.Is(wrong.Err(), redisconn.ErrUnavailable) {
		t.Errorf("the commands: %v, %v", set.Err(), wrong.Err())
	}
	proxy.Stall()
	for _, when := range []string{"not known yet", "known"} {
		began := time.Now()
		pipe := c.Client().Pipeline()
		set := pipe.Set(t.Context(), c.Key("k"), "v", time.Minute)
		_, err := pipe.Exec(t.Context())
		if !errors.Is(err, redisconn.ErrUnavailable) || !errors.Is(set.Err(), redisconn.ErrUnavailable) {
			t.Errorf("%s: %v, %v", when, err, set.Err())
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: took %s", when, took)
		}
		eventually(t, 3*time.Second, "known", func() bool { return !c.Available() })
	}
}

func TestR12_NowIsRedisTime(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	for name, skew := range map[string]time.Duration{"right": 0, "a minute slow": -time.Minute, "a minute fast": time.Minute} {
		t.Run(name, func(t *testing.T) {
			skewed := func(o *redisconn.Options) { o.Now = func() time.Time { return time.Now().Add(skew) } }
			c := open(t, s.URL(), skewed)
			// Redis runs on this machine: its time is ours.
			if off := time.Until(c.Now()).Abs(); off > 100*time.Millisecond {
				t.Errorf("off by %s", off)
			}
			proxy := redistest.NewProxy(t, s.Addr())
			proxy.Cut()
			unknown := open(t, s.URLAt(proxy.Addr()), skewed)
			if off := (time.Until(unknown.Now()) - skew).Abs(); off > 100*time.Millisecond {
				t.Errorf("before the first sample: off the local time by %s", off)
			}
		})
	}
}

func TestPasswordsAreInNoError(t *testing.T) {
	const secret = "correct-horse-battery"
	s := redistest.Start(t, redistest.Options{Password: "another"})
	var log buffer
	logged := func(o *redisconn.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) }
	c := open(t, "redis://:"+secret+"@"+s.Addr(), logged)
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("got %v", err)
	}
	_, err := redisconn.Open(t.Context(), redisconn.Options{URL: "http://:" + secret + "@127.0.0.1"})
	if err == nil {
		t.Fatal("an URL of another scheme was accepted")
	}
	if text := log.String() + c.Err().Error() + err.Error(); strings.Contains(text, secret) || !strings.Contains(text, s.Addr()) {
		t.Errorf("got %s", text)
	}
}
