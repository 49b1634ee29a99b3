package sharedpace_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redistest"
)

// TestR05_FeedsTakeTurnsOverAllReplicas polls nine conferences on one replica, one on another and
// two on a third, at a rate that is not enough.
func TestR05_FeedsTakeTurnsOverAllReplicas(t *testing.T) {
	t.Parallel()
	c := start(t, 3, 6)
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
	defer cancel()
	var running sync.WaitGroup
	for n := range 9 {
		c.replicas[0].poll(ctx, &running, fmt.Sprint("a", n))
	}
	c.replicas[1].poll(ctx, &running, "b")
	c.replicas[2].poll(ctx, &running, "c0")
	c.replicas[2].poll(ctx, &running, "c1")
	elapse(2 * time.Second) // The first lists go before others.
	began := time.Now()
	running.Wait()
	lists := c.requests(http.MethodGet, time.Time{})
	if got := most(lists); got > 8+late {
		t.Errorf("%d requests in one second", got)
	}
	lists = c.requests(http.MethodGet, began)
	if len(lists) < 24 {
		t.Errorf("only %d requests in 7 s", len(lists))
	}
	counts := count(lists, byConference)
	for conference, n := range counts {
		if n < len(lists)/12-1 || n > len(lists)/12+2 {
			t.Errorf("%s: %d lists of %v", conference, n, counts)
		}
	}
	if len(counts) != 12 {
		t.Errorf("lists of %v", counts)
	}
}

// TestR05_TheIntervalInForceIsThatOfAllReplicas asks a replica with one feed.
func TestR05_TheIntervalInForceIsThatOfAllReplicas(t *testing.T) {
	t.Parallel()
	c := start(t, 2, 4)
	one := c.replicas[0].OpenSource(t.Context(), "one")
	for n := range 11 {
		c.replicas[1].OpenSource(t.Context(), fmt.Sprint(n)).Pace(time.Second, 0)
	}
	interval := func() time.Duration { return one.Pace(time.Second, 0).Interval }
	within(t, 10*time.Second, "12 feeds at 4 a second", func() bool { return interval() == 3*time.Second })
	c.replicas[1].network.Cut() // It is not counted any more, but has its part of the rate.
	within(t, 10*time.Second, "one feed", func() bool { return interval() == time.Second })
}

// TestR05_AListForAnAddGoesBeforeThePollsOfOtherReplicas reads one on a replica without feeds.
func TestR05_AListForAnAddGoesBeforeThePollsOfOtherReplicas(t *testing.T) {
	t.Parallel()
	c := start(t, 2, 2)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for n := range 12 {
		c.replicas[0].poll(ctx, &running, fmt.Sprint(n))
	}
	within(t, 10*time.Second, "polls wait", func() bool { return len(c.requests(http.MethodGet, time.Time{})) >= 4 })
	for n := range 2 {
		began := time.Now()
		if _, err := c.replicas[1].ListToReconcile(t.Context(), fmt.Sprint("add", n)); err != nil {
			t.Error(err)
		}
		// Its turn is the next one, or the one after: turns come each 0.5 s.
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("the list took %s", took)
		}
	}
	cancel()
	running.Wait()
}

// TestR05_AddsOfOneReplicaSlowThePollsOfAnother sends ten adds a second.
func TestR05_AddsOfOneReplicaSlowThePollsOfAnother(t *testing.T) {
	t.Parallel()
	c := start(t, 2, 12)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var running sync.WaitGroup
	for n := range 12 {
		c.replicas[0].poll(ctx, &running, fmt.Sprint(n))
	}
	c.replicas[1].load(ctx, &running, 10, "adds")
	elapse(1500 * time.Millisecond)
	began := time.Now()
	running.Wait()
	polls, adds, took := len(c.requests(http.MethodGet, began)), len(c.requests(http.MethodPost, began)), time.Since(began)
	// A busy machine sends fewer adds, which leaves more of the twelve requests a second to polls.
	if most := int(12*took.Seconds()) + 6; polls < 3 || polls+adds > most {
		t.Errorf("%d polls and %d adds in %s, want at most %d", polls, adds, took, most)
	}
}

// TestR05_A429SlowsAllReplicas answers one poll of one replica with 429.
func TestR05_A429SlowsAllReplicas(t *testing.T) {
	t.Parallel()
	c := start(t, 3, 10)
	ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
	defer cancel()
	var running sync.WaitGroup
	for n := range 18 {
		c.replicas[n%3].poll(ctx, &running, fmt.Sprint(n))
	}
	elapse(1500 * time.Millisecond)
	var once sync.Once
	var limited time.Time
	done := make(chan struct{})
	c.setAnswer(func(*http.Request) (status int, body string, header http.Header) {
		once.Do(func() {
			status, body, header = 429, `{"error":"429"}`, http.Header{"Retry-After": {"2"}}
			limited = time.Now()
			close(done)
		})
		return status, body, header
	})
	<-done
	running.Wait()
	// Turns that had been given are used.
	after := c.requests(http.MethodGet, limited.Add(300*time.Millisecond))
	if n := len(after) - len(c.requests(http.MethodGet, limited.Add(2*time.Second))); n > 0 {
		t.Errorf("%d polls in the pause", n)
	}
	replicas := count(after, byReplica)
	if len(replicas) != 3 {
		t.Errorf("polls of %v after the pause", replicas)
	}
	// The rate is 5 and regained by 0.25 a second.
	if got := most(after); got > 8+late {
		t.Errorf("%d polls in one second after the pause", got)
	}
}

func (u *upstreams) setAnswer(answer func(r *http.Request) (int, string, http.Header)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer = answer
}

// TestR08_PollsGoOnWithoutRedis cuts the replicas off: each has its part of the rate. A dead one
// leaves its part to the others.
func TestR08_PollsGoOnWithoutRedis(t *testing.T) {
	t.Parallel()
	c := start(t, 3, 9)
	ctx, cancel := context.WithCancel(t.Context())
	third, killThird := context.WithCancel(ctx)
	var running sync.WaitGroup
	for n := range 10 {
		c.replicas[0].poll(ctx, &running, fmt.Sprint("a", n))
		c.replicas[1].poll(ctx, &running, fmt.Sprint("b", n))
		c.replicas[2].poll(third, &running, fmt.Sprint("c", n))
	}
	elapse(time.Second)
	c.replicas[2].network.Stall()
	killThird()
	elapse(3 * time.Second) // It is known, and the next lists of the others come earlier.
	within(t, 8*time.Second, "two replicas have the whole rate", func() bool {
		return len(c.requests(http.MethodGet, time.Now().Add(-time.Second))) >= 8
	})
	c.networks((*redistest.Proxy).Cut)
	elapse(500 * time.Millisecond)
	began := time.Now()
	elapse(2 * time.Second)
	for replica, n := range count(c.requests(http.MethodGet, began), byReplica) {
		if n < 4 || n > 7+late {
			t.Errorf("replica %d sent %d polls in 2 s alone", replica, n)
		}
	}
	cancel()
	running.Wait()
}

// TestR09_CallsOfAPoll counts the calls of Redis for each list: one if there is a turn for it soon.
func TestR09_CallsOfAPoll(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		feeds int
		most  float64
	}{"few feeds": {3, 1.3}, "more feeds than the rate allows": {14, 2.5}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, 3, 10)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			var running sync.WaitGroup
			for n := range test.feeds {
				c.replicas[n%2].poll(ctx, &running, fmt.Sprint(n))
			}
			running.Wait()
			lists := len(c.requests(http.MethodGet, time.Time{}))
			if got := float64(c.calls.of("pace_polls")) / float64(lists); got > test.most {
				t.Errorf("%.2f calls for each of %d lists", got, lists)
			} else {
				t.Logf("%.2f calls for each of %d lists", got, lists)
			}
		})
	}
}

// TestR05_EarlyListsWaitForTheDueListsOfOtherReplicas asks for one while another replica has more
// feeds than the rate allows (A12).
func TestR05_EarlyListsWaitForTheDueListsOfOtherReplicas(t *testing.T) {
	t.Parallel()
	c := start(t, 2, 4)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	early := c.replicas[1].OpenSource(t.Context(), "early")
	in := func(d time.Duration) bool { return early.WaitEarly(t.Context(), time.Now().Add(d), nil) }
	began := time.Now()
	if !in(time.Second) || time.Since(began) > 950*time.Millisecond {
		t.Errorf("no turn at once, but after %s", time.Since(began))
	}
	for n := range 12 {
		c.replicas[0].poll(ctx, &running, fmt.Sprint(n))
	}
	within(t, 10*time.Second, "polls wait", func() bool { return len(c.requests(http.MethodGet, time.Time{})) >= 3 })
	if in(1200 * time.Millisecond) {
		t.Error("an early list got a turn that due lists wait for")
	}
	cancel()
	running.Wait()
	if !in(3 * time.Second) {
		t.Error("no turn when nothing else waits")
	}
}

// TestR05_LowTokensHalveTheSharedRate has one replica see many tokens, and another one few.
func TestR05_LowTokensHalveTheSharedRate(t *testing.T) {
	t.Parallel()
	c := start(t, 2, 8)
	tokens := func(n int) {
		c.setAnswer(func(*http.Request) (int, string, http.Header) {
			return 200, fmt.Sprintf(`{"participants":[],"total":0,"status":"success","tokens":{"remaining":%d}}`, n), http.Header{}
		})
	}
	list := func(n int) {
		if _, err := c.replicas[n].List(t.Context(), "c"); err != nil {
			t.Error(err)
		}
	}
	tokens(100)
	list(0)
	elapse(1200 * time.Millisecond) // Each replica sends its demand to the others twice a second.
	if got := c.redis.Do("HGET", "t:pace:account:account", "limit"); got != nil {
		t.Errorf("the rate is halved to %v", got)
	}
	tokens(19)
	list(1)
	within(t, 10*time.Second, "the rate is halved", func() bool { return c.redis.Do("HGET", "t:pace:account:account", "limit") == "4" })
}
