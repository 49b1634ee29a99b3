package watch_test

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/watch"
)

// replica is a watcher whose feeds share their logs in a store.
type replica struct {
	*harness

	access *feedtest.Replica
}

// runReplicas runs a test with two replicas, of which the first polls.
func runReplicas(t *testing.T, test func(store *feedtest.Store, a, b *replica)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		upstream, store := feedtest.New(), feedtest.NewStore(time.Minute)
		replicas := make([]*replica, 2)
		for i := range replicas {
			access := store.Replica()
			hub := feed.NewHub(feed.Options{
				PollInterval: time.Second, MaxPollInterval: 5 * time.Second, Linger: 30 * time.Second,
				History: history, Logger: slog.New(slog.DiscardHandler), Logs: access,
			})
			t.Cleanup(hub.Close)
			replicas[i] = &replica{
				harness: &harness{Upstream: upstream, t: t, hub: hub, watcher: watch.NewWatcher(hub, watch.Limits{})}, access: access,
			}
		}
		test(store, replicas[0], replicas[1])
	})
}

func TestR02_TokenOfOneReplicaIsGoodOnAnother(t *testing.T) {
	runReplicas(t, func(_ *feedtest.Store, a, b *replica) {
		a.Set("a", dialing)
		c := a.watch(watch.Request{})
		c.expect("initial a(dialing)")
		a.Set("b", dialing)
		c.expect("+b(dialing)")
		c.subscription.Close()
		a.Set("a", connected)
		a.advance(1100 * time.Millisecond)
		hopped := b.watch(watch.Request{ResumeToken: c.token})
		defer hopped.subscription.Close()
		hopped.held = c.held
		hopped.expect("a(dialing>connected)")
		a.Set("b", connected)
		hopped.expect("b(dialing>connected)")
	})
}

// TestR08_TokenAheadOfALaggingReplica hops to a replica that has not received yet what the token
// refers to.
func TestR08_TokenAheadOfALaggingReplica(t *testing.T) {
	runReplicas(t, func(_ *feedtest.Store, a, b *replica) {
		a.Set("a", dialing)
		c := a.watch(watch.Request{})
		c.expect("initial a(dialing)")
		other := b.watch(watch.Request{})
		defer other.subscription.Close()
		other.expect("initial a(dialing)")
		b.access.DelayMessages(700 * time.Millisecond)
		a.Set("a", connected)
		c.expect("a(dialing>connected)")
		c.subscription.Close()
		hopped := b.watch(watch.Request{ResumeToken: c.token})
		defer hopped.subscription.Close()
		hopped.held = c.held
		hopped.expect("fresh")
		a.Set("a", held)
		hopped.expect("a(connected>held)")
	})
}

func TestR08_ReplicaWithoutTheStoreJudgesNoToken(t *testing.T) {
	runReplicas(t, func(store *feedtest.Store, a, b *replica) {
		a.Set("a", dialing)
		c := a.watch(watch.Request{})
		c.expect("initial a(dialing)")
		other := b.watch(watch.Request{})
		defer other.subscription.Close()
		other.expect("initial a(dialing)")
		b.access.SetAway(true)
		a.Set("a", connected)
		c.expect("a(dialing>connected)")
		c.subscription.Close()
		began := time.Now()
		hopped := b.watch(watch.Request{ResumeToken: c.token})
		defer hopped.subscription.Close()
		hopped.held = c.held
		hopped.expect("stale SHARED_STATE_UNAVAILABLE")
		if took := time.Since(began); took > 5*time.Second || hopped.token != c.token {
			t.Errorf("after %v the token is %q, want the client's own %q", took, hopped.token, c.token)
		}
		hopped.expect("stale SHARED_STATE_UNAVAILABLE") // The heartbeat.
		a.Set("a", held)
		a.advance(2 * time.Second)
		b.access.SetAway(false)
		hopped.expect("a(connected>held)")
	})
}

// TestR08_NewLogGivesOneSnapshot loses the log. Its numbers begin again in the new one.
func TestR08_NewLogGivesOneSnapshot(t *testing.T) {
	runReplicas(t, func(store *feedtest.Store, a, b *replica) {
		a.Set("a", dialing)
		clients := []*client{a.watch(watch.Request{}), b.watch(watch.Request{})}
		for _, c := range clients {
			c.expect("initial a(dialing)")
		}
		a.Set("b", dialing)
		for _, c := range clients {
			c.expect("+b(dialing)")
		}
		old := clients[0].token
		store.Forget()
		for _, c := range clients {
			c.expect("expired a(dialing) b(dialing)")
		}
		a.Set("a", connected)
		for _, c := range clients {
			c.expect("a(dialing>connected)")
		}
		late := b.watch(watch.Request{ResumeToken: old})
		defer late.subscription.Close()
		late.expect("expired a(connected) b(dialing)")
		for _, c := range clients {
			c.subscription.Close()
		}
	})
}

func TestR02_StaleUntilTheFirstListOfAFeedThatBeginsAgain(t *testing.T) {
	runReplicas(t, func(_ *feedtest.Store, a, b *replica) {
		a.Set("a", connected)
		c := a.watch(watch.Request{})
		c.expect("initial a(connected)")
		c.subscription.Close()
		a.hub.Close()
		a.Slow(7 * time.Second)
		again := b.watch(watch.Request{ResumeToken: c.token})
		defer again.subscription.Close()
		again.held = c.held
		began := time.Now()
		again.expect("stale POLL_DELAYED")
		if took := time.Since(began); took > 5*time.Second || again.token != c.token {
			t.Errorf("after %v: token %q", took, again.token)
		}
		again.expect("fresh")
	})
}
