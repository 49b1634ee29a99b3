package feedlog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/replica/redistest"
)

func TestR02_ReplicasOnRedisShowOneLog(t *testing.T) {
	t.Parallel()
	server, upstream := redistest.Start(t, redistest.Options{}), feedtest.New()
	upstream.Set("p0", participant.StatusConnected)
	a, b, c := join(t, server, "a"), join(t, server, "b"), join(t, server, "c")
	first, second := a.watch(t, upstream), b.watch(t, upstream)
	start := first.State().Position
	if second.State().Position != start {
		t.Fatalf("positions %v and %v", start, second.State().Position)
	}
	upstream.Set("p1", participant.StatusDialing)
	eventually(t, "p1 is listed", func() bool { return has("p1", first, second) })
	for i, writer := range []*replica{a, b, c} { // c follows nothing.
		id := fmt.Sprint("w", i)
		upstream.Set(id, participant.StatusPending)
		writer.add(id)
		eventually(t, id+" reaches the others", func() bool { return has(id, first, second) })
	}
	eventually(t, "the log is quiet", func() bool { return first.State().Position == second.State().Position })
	one, _ := first.State().After(start)
	other, kept := second.State().After(start)
	if !kept || len(one) < 4 || text(one) != text(other) {
		t.Errorf("kept %v\n%v\n%v", kept, text(one), text(other))
	}
	polls := len(upstream.Starts())
	<-time.After(10 * interval)
	if polls = len(upstream.Starts()) - polls; polls > 12 {
		t.Errorf("%d lists in ten intervals", polls)
	}
}

// text returns entries in full, as watchers see them.
func text(entries []feed.Entry) string {
	var text strings.Builder
	for _, e := range entries {
		fmt.Fprintln(&text, e.Seq, e.NotBefore.UnixNano(), e.NotAfter.UnixNano(), e.Total, e.Active)
		for _, c := range e.Changes {
			for _, p := range []*participant.Participant{c.Before, c.After} {
				if p != nil {
					fmt.Fprintf(&text, " %+v %v", *p, c.ByWrite)
				}
			}
		}
	}
	return text.String()
}

func TestR02_FeedThatBeginsAgainOnRedisKeepsItsHistory(t *testing.T) {
	t.Parallel()
	server, upstream := redistest.Start(t, redistest.Options{}), feedtest.New()
	upstream.Set("p0", participant.StatusConnected)
	a := join(t, server, "a")
	first := a.watch(t, upstream)
	start := first.State().Position
	upstream.Set("p1", participant.StatusConnected)
	eventually(t, "p1 is listed", func() bool { return has("p1", first) })
	a.stop()
	upstream.Set("p2", participant.StatusConnected)
	again := join(t, server, "b").watch(t, upstream)
	eventually(t, "p2 is listed", func() bool { return has("p2", again) })
	if missed, kept := again.State().After(start); !kept || len(missed) != 2 {
		t.Errorf("kept %v, missed %v", kept, text(missed))
	}
}

// slowMachine is added to the bounds of times.
const slowMachine = 2 * time.Second

func TestR03_TakeoverOnRedis(t *testing.T) {
	t.Parallel()
	server, upstream := redistest.Start(t, redistest.Options{}), feedtest.New()
	upstream.Set("p0", participant.StatusConnected)
	a, b := join(t, server, "a"), join(t, server, "b")
	first := a.watch(t, upstream)
	second := b.watch(t, upstream)
	start := second.State().Position
	a.proxy.Cut()
	cut := time.Now()
	upstream.Set("p1", participant.StatusConnected)
	eventually(t, "p1 is listed by the other replica", func() bool { return has("p1", second) })
	if took := time.Since(cut); took > 3*time.Second+interval+slowMachine {
		t.Errorf("it took %v", took)
	}
	eventually(t, "the replica without Redis is stale", func() bool {
		return first.State().Stale && first.State().StaleReason == apierror.SharedStateUnavailable
	})
	if took := time.Since(cut); took > 5*time.Second+slowMachine {
		t.Errorf("it took %v", took)
	}
	a.proxy.Restore()
	eventually(t, "it follows again", func() bool { return has("p1", first, second) })
	if missed, kept := first.State().After(start); !kept || len(missed) != 1 {
		t.Errorf("kept %v, missed %v", kept, text(missed))
	}
}

func TestR04_HandOverOnRedis(t *testing.T) {
	t.Parallel()
	server, upstream := redistest.Start(t, redistest.Options{}), feedtest.New()
	upstream.Set("p0", participant.StatusConnected)
	a, b := join(t, server, "a"), join(t, server, "b")
	first, second := a.watch(t, upstream), b.watch(t, upstream)
	a.logs.Retire(t.Context())
	retired, lists := time.Now(), len(upstream.Starts())
	eventually(t, "the next list", func() bool { return len(upstream.Starts()) > lists })
	if took := time.Since(retired); took > interval+time.Second { // A lease that is not released lasts longer.
		t.Errorf("the next list came after %v", took)
	}
	eventually(t, "the other replica polls", func() bool { return second.State().Polled && !first.State().Polled })
}

// TestR08_RedisThatLostItsLogs restarts Redis without data, or makes the log unreadable (R11).
func TestR08_RedisThatLostItsLogs(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*redistest.Server){
		"restarted without data": func(s *redistest.Server) { s.Restart(false) },
		"flushed":                (*redistest.Server).Flush,
		"a member is unreadable": func(s *redistest.Server) { s.Do("HSET", "pgw:log1:u:Y29uZg:members", "p0", "9?") },
		"the marks are unreadable": func(s *redistest.Server) {
			s.Do("HSET", "pgw:log1:u:Y29uZg:head", "marks", "")
		},
		"the status is unreadable": func(s *redistest.Server) { s.Do("HSET", "pgw:log1:u:Y29uZg:head", "status", "1{") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, upstream := redistest.Start(t, redistest.Options{}), feedtest.New()
			upstream.Set("p0", participant.StatusConnected)
			a := join(t, server, "a")
			first := a.watch(t, upstream)
			before := first.State().Position
			upstream.Slow(time.Second)
			lists := len(upstream.Starts())
			eventually(t, "a slow list", func() bool { return len(upstream.Starts()) > lists })
			lose(server)
			second := join(t, server, "b").watch(t, upstream)
			upstream.Slow(0)
			upstream.Set("p1", participant.StatusConnected)
			eventually(t, "p1 is listed", func() bool { return has("p1", first, second) })
			if lost := strings.HasPrefix(name, "the") || strings.HasPrefix(name, "a "); !lost && first.State().Position.Epoch == before.Epoch {
				t.Error("the log goes on")
			}
		})
	}
}

func TestR10_KeysOfALogNameTheConferenceAlone(t *testing.T) {
	t.Parallel()
	server, upstream := redistest.Start(t, redistest.Options{}), feedtest.New()
	upstream.Set("p0", participant.StatusConnected)
	a := join(t, server, "a")
	a.watch(t, upstream)
	a.add("w")
	for _, key := range server.Client().Keys(t.Context(), "*").Val() {
		if !strings.HasPrefix(key, "pgw:log1:u:Y29uZg:") && key != "pgw:log1:u:leases" {
			t.Errorf("key %s", key)
		}
		if ttl := server.Client().PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > 14*time.Minute {
			t.Errorf("%s expires in %v", key, ttl)
		}
	}
}
