package sharedpace_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/upstream"
)

// TestR05_TenAddsASecondOverAllReplicas starts all replicas at the same instant, under more load
// than the upstream takes. Each has another number of conferences.
func TestR05_TenAddsASecondOverAllReplicas(t *testing.T) {
	t.Parallel()
	c := start(t, 3, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var running sync.WaitGroup
	began := time.Now()
	c.replicas[0].load(ctx, &running, 4, "a0")
	c.replicas[1].load(ctx, &running, 4, "b0", "b1")
	c.replicas[2].load(ctx, &running, 4, "c0", "c1", "c2", "c3")
	running.Wait()
	sent := c.requests(http.MethodPost, began)
	if got := most(sent); got > 10+late {
		t.Errorf("%d adds in one second", got)
	}
	if len(sent) < 20 {
		t.Errorf("only %d adds in 5 s", len(sent))
	}
	for replica, n := range count(sent, byReplica) {
		if n < len(sent)/6 || n > len(sent)/2 {
			t.Errorf("replica %d sent %d of %d", replica, n, len(sent))
		}
	}
	conferences := count(sent, byConference)
	for n := range 4 {
		if got := conferences[fmt.Sprint("c", n)]; got < conferences["c0"]-3 || got > conferences["c0"]+3 {
			t.Errorf("conferences got %v", conferences)
		}
	}
}

// TestR05_AReplicaAloneHasAllTen leaves the others idle.
func TestR05_AReplicaAloneHasAllTen(t *testing.T) {
	t.Parallel()
	c := start(t, 3, 0)
	began := time.Now()
	var running sync.WaitGroup
	for n := range 20 {
		running.Go(func() {
			if err := c.replicas[0].add(t.Context(), fmt.Sprint(n%3)); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	sent := c.requests(http.MethodPost, began)
	if got := most(sent); got < 10 || got > 10+late {
		t.Errorf("%d adds in one second", got)
	}
	// With a third of the turns they would take six seconds.
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("20 adds took %s", took)
	}
	for _, key := range c.keys() {
		if ttl, _ := c.redis.Do("PTTL", key).(int64); ttl == -1 || ttl > 2*time.Minute.Milliseconds() {
			t.Errorf("%s lives %d ms", key, ttl)
		}
	}
}

// keys returns the keys in Redis.
func (c *cluster) keys() (keys []string) {
	reply, _ := c.redis.Do("KEYS", "t:pace:*").([]any)
	for _, key := range reply {
		name, _ := key.(string)
		keys = append(keys, name)
	}
	return keys
}

// TestR05_AKilledReplicaCostsOneTurn ends the network of one replica while it waits for its turn.
func TestR05_AKilledReplicaCostsOneTurn(t *testing.T) {
	t.Parallel()
	c := start(t, 3, 0)
	ctx, cancel := context.WithCancel(t.Context())
	killed, kill := context.WithCancel(ctx)
	var running sync.WaitGroup
	began := time.Now()
	c.replicas[0].load(ctx, &running, 4, "a")
	c.replicas[1].load(ctx, &running, 4, "b")
	c.replicas[2].load(killed, &running, 4, "c")
	within(t, 5*time.Second, "all ten turns are taken", func() bool { return len(c.requests(http.MethodPost, began)) >= 10 })
	c.replicas[2].network.Stall() // What it has reserved is not given back.
	kill()
	at := time.Now()
	// Without Redis the two would send six adds a second.
	within(t, 10*time.Second, "the others have nine turns", func() bool { return most(c.requests(http.MethodPost, at)) >= 9 })
	cancel()
	running.Wait()
	if got := most(c.requests(http.MethodPost, began)); got > 10+late {
		t.Errorf("%d adds in one second", got)
	}
}

// TestR05_DeadlinesAndBoundsAreEachReplicas queues adds on a replica while another one takes half
// of the turns: those whose turn cannot come in time fail at once.
func TestR05_DeadlinesAndBoundsAreEachReplicas(t *testing.T) {
	t.Parallel()
	c := start(t, 2, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
	defer cancel()
	var running, queued sync.WaitGroup
	began := time.Now()
	c.replicas[1].load(ctx, &running, 4, "other")
	within(t, 5*time.Second, "the other replica is busy", func() bool { return len(c.requests(http.MethodPost, began)) >= 10 })
	var mu sync.Mutex
	var refused []time.Duration
	sent := 0
	queuedAt := time.Now()
	for range 40 {
		queued.Go(func() {
			bounded, cancel := context.WithDeadline(ctx, queuedAt.Add(2300*time.Millisecond))
			defer cancel()
			err := c.replicas[0].add(bounded, "c")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				sent++
			} else if apierror.ReasonOf(err) == apierror.AddRateLimited {
				refused = append(refused, time.Since(queuedAt))
			}
		})
	}
	queued.Wait()
	cancel()
	running.Wait()
	// Two windows: 5 turns each.
	if sent < 5 || sent > 13 || sent+len(refused) != 40 {
		t.Errorf("%d sent, %d refused", sent, len(refused))
	}
	slices.Sort(refused)
	if len(refused) < 20 || refused[19] > 1500*time.Millisecond {
		t.Errorf("refused after %v", refused)
	}
}

// TestR05_AnUnusedTurnIsGivenBack reserves all turns without sending anything.
func TestR05_AnUnusedTurnIsGivenBack(t *testing.T) {
	t.Parallel()
	c := start(t, 2, 0)
	var slots []*upstream.Slot
	for range 10 {
		s, err := c.replicas[0].Reserve(t.Context(), "a", "")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		slots = append(slots, s)
	}
	began := time.Now()
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.replicas[1].add(t.Context(), "b"); err != nil {
			t.Error(err)
		}
	})
	// Open turns count as long as their replica confirms them.
	time.AfterFunc(3500*time.Millisecond, slots[0].Release)
	running.Wait()
	if took := time.Since(began); took < 3500*time.Millisecond || took > 6*time.Second {
		t.Errorf("took %s", took)
	}
	for _, s := range slots {
		s.Release()
	}
	within(t, 10*time.Second, "all turns are free", func() bool { return c.redis.Do("ZCARD", "t:pace:account:open") == int64(0) })
}

// TestR05_OpenTurnsOfADeadReplicaAreFreeSoon ends the network of a replica that has all turns.
func TestR05_OpenTurnsOfADeadReplicaAreFreeSoon(t *testing.T) {
	t.Parallel()
	c := start(t, 2, 0)
	for range 10 {
		s, err := c.replicas[0].Reserve(t.Context(), "a", "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Release)
		if err := s.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	c.replicas[0].network.Cut()
	began := time.Now()
	if err := c.replicas[1].add(t.Context(), "b"); err != nil {
		t.Error(err)
	}
	// It may have sent its adds just before it died: they count for a second.
	if took := time.Since(began); took < time.Second || took > 8*time.Second {
		t.Errorf("the next turn came after %s", took)
	}
}

// TestR08_AddsGoOnWithoutRedis cuts all replicas off: together they still send ten a second at
// most, then too when they are back.
func TestR08_AddsGoOnWithoutRedis(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ cut, restore func(c *cluster) }{
		"cut": {
			func(c *cluster) { c.networks((*redistest.Proxy).Cut) }, func(c *cluster) { c.networks((*redistest.Proxy).Restore) },
		},
		"stalled": {
			func(c *cluster) { c.networks((*redistest.Proxy).Stall) }, func(c *cluster) { c.networks((*redistest.Proxy).Restore) },
		},
		"replaced by an empty one": {func(c *cluster) { c.redis.Kill() }, func(c *cluster) { c.redis.Run() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, 3, 0)
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			began := time.Now()
			c.replicas[0].load(ctx, &running, 4, "a")
			c.replicas[1].load(ctx, &running, 4, "b")
			c.replicas[2].load(ctx, &running, 4, "c")
			within(t, 5*time.Second, "all ten turns are taken", func() bool { return len(c.requests(http.MethodPost, began)) >= 10 })
			test.cut(c)
			elapse(2 * time.Second)
			alone := time.Now()
			elapse(2200 * time.Millisecond)
			for replica, n := range count(c.requests(http.MethodPost, alone), byReplica) {
				// 3 a second: a third of the rate.
				if n < 3 || n > 9+late {
					t.Errorf("replica %d sent %d adds alone", replica, n)
				}
			}
			test.restore(c)
			for _, r := range c.replicas {
				within(t, 5*time.Second, "Redis is back", r.conn.Available)
			}
			back := time.Now()
			// Alone they would send nine adds a second.
			within(t, 10*time.Second, "they share the rate", func() bool { return most(c.requests(http.MethodPost, back)) >= 10 })
			cancel()
			running.Wait()
			sent := c.requests(http.MethodPost, began)
			if got := most(sent); got > 10+late {
				t.Errorf("%d adds in one second", got)
			}
		})
	}
}

// TestR05_AReplicaThatIsCutOffAddsItsShareOnTop cuts one of three off, and then it is back.
func TestR05_AReplicaThatIsCutOffAddsItsShareOnTop(t *testing.T) {
	t.Parallel()
	c := start(t, 3, 0)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	began := time.Now()
	for n, r := range c.replicas {
		r.load(ctx, &running, 4, fmt.Sprint(n))
	}
	within(t, 5*time.Second, "all ten turns are taken", func() bool { return len(c.requests(http.MethodPost, began)) >= 10 })
	c.replicas[0].network.Cut()
	elapse(1500 * time.Millisecond)
	cut := time.Now()
	elapse(3300 * time.Millisecond)
	sent := count(c.requests(http.MethodPost, cut), byReplica)
	if sent[0] < 4 || sent[0] > 12+late {
		t.Errorf("the replicas sent %v", sent)
	}
	// Alone the others would send six adds a second.
	within(t, 10*time.Second, "the others share the rate", func() bool {
		return most(slices.DeleteFunc(c.requests(http.MethodPost, cut), func(r request) bool { return r.replica == 0 })) >= 9
	})
	c.replicas[0].network.Restore()
	within(t, 5*time.Second, "Redis is back", c.replicas[0].conn.Available)
	elapse(2500 * time.Millisecond)
	back := time.Now()
	elapse(2200 * time.Millisecond)
	cancel()
	running.Wait()
	if got := most(c.requests(http.MethodPost, began)); got > 13+late {
		t.Errorf("%d adds in one second", got)
	}
	if got := most(c.requests(http.MethodPost, back)); got > 10+late {
		t.Errorf("%d adds in one second when it is back", got)
	}
}

func (c *cluster) networks(do func(*redistest.Proxy)) {
	for _, r := range c.replicas {
		do(r.network)
	}
}
