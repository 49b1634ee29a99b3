package sharedclaims_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

func TestR06_AMarkIsAcknowledgedByAReplicaOfRedis(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	second := newCluster(t).redis
	second.ReplicaOf(c.redis)
	a, b := c.replica("a"), c.replica("b")
	eventually(t, "Redis has a replica", func() bool { return a.conn.Replicas() == 1 && b.conn.Replicas() == 1 })
	want(t, a.add("with", alice).wait().err, "", "")

	second.Pause()
	refused := a.add("without", alice).wait()
	want(t, refused.err, apierror.SharedStateUnavailable, apierror.DialledNo)
	if apierror.RetryAfterOf(refused.err) == 0 || c.upstream.sendings() != 1 {
		t.Errorf("retry after %s, sent %d times", apierror.RetryAfterOf(refused.err), c.upstream.sendings())
	}
	second.Continue()
	eventually(t, "a replica acknowledges", func() bool { return b.add("without", alice).wait().err == nil })
	if got := a.add("without", alice).wait(); got.err != nil || !got.added.Replayed || c.upstream.sendings() != 2 {
		t.Errorf("answered %+v, %v; sent %d times", got.added, got.err, c.upstream.sendings())
	}
}

// Redis is replaced by one that lacks all claims, while an add is under way and after others.
func TestR06_AfterAFailoverClaimsAreWrittenAgain(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.replica("a"), c.replica("b")
	want(t, a.add("answered", alice).wait().err, "", "")
	answer, turn := make(chan struct{}), make(chan struct{})
	queued := make(chan struct{})
	c.upstream.script(step{sends: answer}, step{waits: turn, onTurn: func() { close(queued) }}, step{})
	sent := a.add("sent", alice)
	eventually(t, "sent", func() bool { return c.upstream.sendings() == 2 })
	waiting := a.add("waiting", alice)
	<-queued
	c.redis.Restart(false)
	eventually(t, "Redis can be used", func() bool { return a.conn.Available() && b.conn.Available() })
	calls := []*pending{b.add("answered", alice), b.add("sent", alice), b.add("waiting", alice)}
	close(turn)
	close(answer)
	for i, call := range calls {
		want(t, call.wait().err, "", "")
		if !call.added.Replayed || call.added.Participant.ID != fmt.Sprintf("part_%d", i+1) {
			t.Errorf("call %d: %+v", i, call.added)
		}
	}
	want(t, sent.wait().err, "", "")
	want(t, waiting.wait().err, "", "")
	if c.upstream.sendings() != 3 {
		t.Errorf("sent %d times", c.upstream.sendings())
	}
}

// A replica of Redis takes over that lacks the last changes: an add was sent, or answered, under a
// claim that it knows only as free.
func TestR06_AFailoverToAnOlderReplicaOfRedis(t *testing.T) {
	t.Parallel()
	for name, answered := range map[string]bool{"sent": false, "answered": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			a, b := c.replica("a"), c.replica("b")
			answer := make(chan struct{})
			c.upstream.script(step{refuses: &apierror.Error{Reason: apierror.AddRateLimited}}, step{sends: answer}, step{})
			want(t, a.add("r", alice).wait().err, apierror.AddRateLimited, apierror.DialledNo)
			key := c.keys("claim:id:*")[0]
			old, _ := c.redis.Do("DUMP", key).(string)
			first := a.add("r", alice)
			eventually(t, "sent", func() bool { return c.upstream.sendings() == 1 })
			if answered {
				close(answer)
				first.wait()
			}
			c.redis.Restart(false)
			c.redis.Do("RESTORE", key, 60000, old)
			eventually(t, "Redis can be used", func() bool { return a.conn.Available() && b.conn.Available() })
			second := b.add("r", alice)
			if !answered {
				close(answer)
			}
			want(t, first.wait().err, "", "")
			want(t, second.wait().err, "", "")
			if !second.added.Replayed || c.upstream.sendings() != 1 {
				t.Errorf("replayed %v, sent %d times", second.added.Replayed, c.upstream.sendings())
			}
		})
	}
}

// The message that a claim has ended is lost, because the subscription is cut just before.
func TestR06_AWaitingCallerNeedsNoMessage(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.replica("a"), c.replica("b")
	answer := make(chan struct{})
	c.upstream.script(step{sends: answer, onAnswer: func() { c.redis.Do("CLIENT", "KILL", "TYPE", "pubsub") }})
	first := a.add("r", alice)
	eventually(t, "sent", func() bool { return c.upstream.sendings() == 1 })
	second := waiting(c, b)
	close(answer)
	want(t, first.wait().err, "", "")
	began := time.Now()
	want(t, second.wait().err, "", "")
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("heard of it after %s", took)
	}
}

// Redis gets its first replica, which hangs, just before a mark, mostly after the connection's last
// probe.
func TestR06_AMarkIsAcknowledgedByANewReplicaOfRedis(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	second := newCluster(t).redis
	a := c.replica("a")
	turn, queued := make(chan struct{}), make(chan struct{})
	c.upstream.script(step{waits: turn, onTurn: func() { close(queued) }})
	call := a.add("new", alice)
	<-queued
	second.ReplicaOf(c.redis)
	eventually(t, "Redis has a replica", func() bool {
		info, _ := c.redis.Do("INFO", "replication").(string)
		return strings.Contains(info, "state=online") && !strings.Contains(info, "offset=0,")
	})
	second.Pause()
	defer second.Continue()
	close(turn)
	want(t, call.wait().err, apierror.SharedStateUnavailable, apierror.DialledNo)
	if c.upstream.sendings() != 0 {
		t.Errorf("sent %d times", c.upstream.sendings())
	}
}
