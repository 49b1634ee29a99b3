package replicas_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/test/watchclient"
)

// away is the reason of R8.
const away = "SHARED_STATE_UNAVAILABLE"

// staleWithin is R8's time; the rest is for a slow machine.
const staleWithin = 5*time.Second + 500*time.Millisecond

// TestR08_StreamsStayOpenWhileRedisIsAway takes Redis away in each way in which its process
// stays the same one.
func TestR08_StreamsStayOpenWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	each := func(do func(*redistest.Proxy)) func(*cluster) {
		return func(c *cluster) {
			for _, r := range c.replicas {
				do(r.network)
			}
		}
	}
	for name, test := range map[string]struct{ leave, back func(*cluster) }{
		"cut":     {each((*redistest.Proxy).Cut), each((*redistest.Proxy).Restore)},
		"stalled": {each((*redistest.Proxy).Stall), each((*redistest.Proxy).Restore)},
		"paused":  {func(c *cluster) { c.redis.Pause() }, func(c *cluster) { c.redis.Continue() }},
		"out of memory": {
			func(c *cluster) { c.redis.Do("CONFIG", "SET", "maxmemory", 1) }, func(c *cluster) { c.redis.Do("CONFIG", "SET", "maxmemory", 0) },
		},
		"without a right": {
			func(c *cluster) { c.redis.Do("ACL", "SETUSER", "default", "-hset") },
			func(c *cluster) { c.redis.Do("ACL", "SETUSER", "default", "+hset") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const conference = "conf_away"
			c := start(t, 3, options{simulator: still})
			leaves := c.upstream.join(conference, 1)
			removed := c.upstream.join(conference, 2)
			watchers := c.watchEach([]string{conference}, c.replicas...)
			before := make([]int, len(watchers))
			for i, w := range watchers {
				before[i] = len(w.messages())
			}
			left := time.Now()
			test.leave(c)
			for _, w := range watchers {
				eventually(t, w.String()+" is stale", func() bool { return !w.isFresh() })
				if took := time.Since(left); took > staleWithin+stalls.since(left) {
					t.Errorf("%s was stale after %s", w, took)
				}
				if reasons := staleReasons(w.messages()); !slices.Equal(reasons, []string{away}) {
					t.Errorf("%s: reasons of STALE: %v", w, reasons)
				}
			}
			c.callsWithoutRedis(conference, removed)
			c.upstream.RemoveParticipant(conference, leaves)
			joined := c.upstream.join(conference, 3)
			if open := watchers[0]; open.holds(joined) {
				t.Errorf("%s has what only an outage can have hidden", open)
			}
			test.back(c)
			c.converge()
			for i, w := range watchers {
				w.expectDiffThenFresh(before[i], joined, leaves)
			}
		})
	}
}

// TestR08_WhatRedisDoesInPassingIsNotSeen disturbs Redis in ways that cost no more than moments.
func TestR08_WhatRedisDoesInPassingIsNotSeen(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(*cluster){
		"subscriptions killed": func(c *cluster) { c.redis.Do("CLIENT", "KILL", "TYPE", "pubsub") },
		"connections killed":   func(c *cluster) { c.redis.Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") },
		"scripts flushed":      func(c *cluster) { c.redis.Do("SCRIPT", "FLUSH") },
		"cut for a moment": func(c *cluster) {
			for _, r := range c.replicas {
				r.network.Cut()
				r.network.Restore()
			}
		},
		"slow": func(c *cluster) {
			for _, r := range c.replicas {
				r.network.Delay(100 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const conference = "conf_passing"
			c := start(t, 2, options{simulator: still})
			watchers := c.watchEach([]string{conference}, c.replicas...)
			began := time.Now()
			for n := range 3 {
				disturb(c)
				c.churn(conference, 10*(n+1))
			}
			for _, w := range watchers {
				expectFresh(t, w, began)
			}
		})
	}
}

// callsWithoutRedis makes the calls that go on without Redis, at each replica.
func (c *cluster) callsWithoutRedis(conference, removed string) {
	c.t.Helper()
	for _, r := range c.replicas {
		if _, err := r.GRPC.ListParticipants(c.context(), &v2.ListParticipantsRequest{ConferenceId: conference}); err != nil {
			c.t.Errorf("list at replica %d: %v", r.number, err)
		}
		if !r.ready() {
			c.t.Errorf("replica %d is not ready: its streams still serve", r.number)
		}
	}
	if err := c.replicas[1].remove(conference, removed); err != nil {
		c.t.Errorf("remove: %v", err)
	}
}

// expectDiffThenFresh fails the test unless all changes came before the FRESH checkpoint, and no
// snapshot did.
func (w *watcher) expectDiffThenFresh(since int, ids ...string) {
	t := w.cluster.t
	t.Helper()
	changed, fresh := map[string]bool{}, false
	for _, m := range w.messages()[since:] {
		switch {
		case m.Snapshot != nil:
			t.Errorf("%s received a snapshot", w)
		case m.Checkpoint != nil && m.Checkpoint.Freshness == "fresh" && changed[ids[0]]:
			fresh = true
		case m.Changes != nil:
			for _, change := range m.Changes.Changes {
				changed[change.Member.ID] = true
				if fresh && slices.Contains(ids, change.Member.ID) {
					t.Errorf("%s received a change of %s after FRESH", w, change.Member.ID)
				}
			}
		}
	}
	for _, id := range ids {
		if !changed[id] {
			t.Errorf("%s received no change of %s", w, id)
		}
	}
}

// TestR08_AnEpochBelongsToOneProcessOfRedis takes the log away in each way.
func TestR08_AnEpochBelongsToOneProcessOfRedis(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		redis redistest.Options
		lose  func(*cluster)
	}{
		"restarted without its data": {redistest.Options{}, func(c *cluster) { c.redis.Restart(false) }},
		"restarted with its data":    {redistest.Options{AppendOnly: true}, func(c *cluster) { c.redis.Restart(true) }},
		"flushed":                    {redistest.Options{}, func(c *cluster) { c.redis.Flush() }},
		"replaced by an older copy": {redistest.Options{}, func(c *cluster) {
			copied := redistest.Start(c.t, redistest.Options{})
			copied.ReplicaOf(c.redis)
			copied.Promote()
			c.upstream.join("conf_epoch", 9)
			c.converge()
			c.redis.Kill()
			for _, r := range c.replicas {
				r.network.Retarget(copied.Addr())
			}
		}},
		"a log evicted": {redistest.Options{}, func(c *cluster) {
			for _, key := range c.keys("*:head") {
				c.redis.Do("DEL", key)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const conference = "conf_epoch"
			c := start(t, 3, options{simulator: still, redis: test.redis})
			c.upstream.join(conference, 1)
			watchers := c.watchEach([]string{conference}, c.replicas...)
			resumes := c.watch(c.replicas[0], conference)
			resumes.await("is fresh", resumes.isFresh)
			resumes.close()
			for _, w := range append(watchers, resumes) {
				w.expired = 1
			}
			test.lose(c)
			c.upstream.join(conference, 2)
			for _, w := range watchers {
				w.await("has its snapshot", func() bool { return w.snapshots() == 2 })
			}
			c.converge()
			resumes.open(c.replicas[2])
			c.upstream.join(conference, 3)
			c.converge()
			if first := resumes.messages()[0]; first.Snapshot == nil || first.Snapshot.Reason != "resume_expired" {
				t.Errorf("first message after the resume: %s", describe(first.Message))
			}
		})
	}
}

// keys returns the keys that match a pattern.
func (c *cluster) keys(pattern string) (keys []string) {
	c.t.Helper()
	scan := c.redis.Client().Scan(c.context(), 0, pattern, 1000).Iterator()
	for scan.Next(c.context()) {
		keys = append(keys, scan.Val())
	}
	if err := scan.Err(); err != nil {
		c.t.Fatal(err)
	}
	return keys
}

// snapshots returns how many snapshots the watcher received.
func (w *watcher) snapshots() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.received {
		if m.Snapshot != nil {
			n++
		}
	}
	return n
}

// TestR08_AReplicaStartsWithoutRedis starts a replica before Redis.
func TestR08_AReplicaStartsWithoutRedis(t *testing.T) {
	t.Parallel()
	const conference = "conf_starts"
	c := start(t, 1, options{simulator: still})
	r := c.replicas[0]
	r.kill()
	c.redis.Kill()
	r.launch()
	eventually(t, "/readyz names Redis", func() bool {
		code, body := r.page("/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(strings.ToLower(body), "redis")
	})
	c.redis.Run()
	r.awaitReady()
	c.upstream.join(conference, 1)
	c.watch(r, conference)
	c.converge()
}

// TestR08_ATokenAheadIsNotJudged resumes at a replica that Redis does not reach, with a token
// that is ahead of what the replica holds.
func TestR08_ATokenAheadIsNotJudged(t *testing.T) {
	t.Parallel()
	for name, hasFeed := range map[string]bool{"with a feed": true, "without a feed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const conference = "conf_ahead"
			c := start(t, 2, options{simulator: still})
			ahead, behind := c.replicas[0], c.replicas[1]
			watchers := c.watchEach([]string{conference}, ahead, ahead)
			if hasFeed {
				c.watchEach([]string{conference}, behind)
			}
			behind.network.Cut()
			c.upstream.join(conference, 1)
			for _, w := range watchers {
				w.await("has the change", func() bool { return w.holds("visitor_1") })
			}
			moved := watchers[0]
			left := moved.state().token
			moved.move(behind)
			moved.await("has a message", func() bool { return len(moved.messages()) > 0 })
			c.upstream.join(conference, 2)
			watchers[1].await("has the next change", func() bool { return watchers[1].holds("visitor_2") })
			for _, m := range moved.messages() {
				if m.Checkpoint == nil || m.Checkpoint.Freshness != "stale" || m.Token != left {
					t.Errorf("while Redis is away: %s", describe(m.Message))
				}
			}
			behind.network.Restore()
			c.converge()
			if got, want := moved.changesAfter(left), watchers[1].changesAfter(left); !slices.Equal(got, want) {
				t.Errorf("resumed with %v, missed were %v", got, want)
			}
		})
	}
}

// TestR08_AddsWhileRedisIsAway adds with and without a request id.
func TestR08_AddsWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	const conference = "conf_adds"
	c := start(t, 2, options{simulator: still})
	c.redis.Pause()
	for n, r := range c.replicas {
		if _, err := r.add(conference, n, ""); err != nil {
			t.Errorf("add without a request id at replica %d: %v", n, err)
		}
		_, err := r.add(conference, 10+n, "request-1")
		reason, dialled := watchclient.InfoOf(err)
		if status.Code(err) != codes.Unavailable || reason != away || dialled != "unknown" || !hasRetryInfo(err) {
			t.Errorf("add with a request id at replica %d: %v, reason %s, dialled=%s", n, err, reason, dialled)
		}
	}
	c.redis.Continue()
	eventually(t, "the same request id is accepted", func() bool {
		_, err := c.replicas[0].add(conference, 10, "request-1")
		return err == nil
	})
	if dials := len(c.upstream.Dials()); dials != 3 {
		t.Errorf("%d dials, want 3", dials)
	}
}

func hasRetryInfo(err error) bool {
	return slices.ContainsFunc(status.Convert(err).Details(), func(detail any) bool {
		info, ok := detail.(*errdetails.RetryInfo)
		return ok && info.GetRetryDelay().AsDuration() > 0
	})
}
