package replicas_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// last returns the last message.
func (w *watcher) last() (m received) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.received[len(w.received)-1]
}

// TestR02_TheEndReachesAllReplicas deletes a conference, and begins it again.
func TestR02_TheEndReachesAllReplicas(t *testing.T) {
	t.Parallel()
	const conference = "conf_ends"
	c := start(t, 3, options{simulator: still})
	c.upstream.join(conference, 1)
	watchers := c.watchEach([]string{conference}, c.replicas...)
	for _, w := range watchers {
		w.ends = true
	}
	c.upstream.DeleteConference(conference)
	for _, w := range watchers {
		w.await("has the end", func() bool { return w.last().End != nil })
		if kinds := w.kindsOf("visitor_1"); len(kinds) > 0 {
			t.Errorf("%s received %v before the end", w, kinds)
		}
	}
	c.upstream.join(conference, 2)
	for i, w := range watchers {
		w.expired = 1
		w.ends = false
		w.move(c.replicas[(i+1)%3])
	}
	c.converge()
}

// TestR08_AnOutageOfTheUpstreamReachesAllReplicas has lists fail, also for a replica that joins.
func TestR08_AnOutageOfTheUpstreamReachesAllReplicas(t *testing.T) {
	t.Parallel()
	const conference, reason = "conf_outage", "UPSTREAM_UNAVAILABLE"
	c := start(t, 3, options{simulator: still})
	c.upstream.join(conference, 1)
	watchers := c.watchEach([]string{conference}, c.replicas[:2]...)
	c.upstream.Inject(simulator.Fault{Kind: simulator.FaultStatus, Operation: simulator.List, Status: 503, Body: simulator.HTMLBody})
	for _, w := range watchers {
		eventually(t, w.String()+" is stale", func() bool { return !w.isFresh() })
	}
	joined := c.watch(c.replicas[2], conference)
	eventually(t, "a snapshot, then STALE", func() bool { return len(joined.messages()) >= 2 })
	if m := joined.messages(); m[0].Snapshot == nil || m[1].Checkpoint == nil || m[1].at.Sub(m[0].at) > time.Second+stalls.since(m[0].at) {
		t.Errorf("received %s, then %s", describe(m[0].Message), describe(m[1].Message))
	}
	for _, w := range append(watchers, joined) {
		if reasons := staleReasons(w.messages()); len(reasons) == 0 || slices.ContainsFunc(reasons, func(r string) bool { return r != reason }) {
			t.Errorf("%s: reasons of STALE: %v", w, reasons)
		}
	}
	c.upstream.join(conference, 2)
	c.upstream.ClearFaults()
	c.converge()
}

// TestR01_TheLeaseMovesWhenItsWatchersLeave has the replica that polls lose its watchers, while
// another has some.
func TestR01_TheLeaseMovesWhenItsWatchersLeave(t *testing.T) {
	t.Parallel()
	const conference = "conf_leave"
	c := start(t, 2, options{simulator: still, flags: []string{"--linger=1s"}})
	leaving := c.watchEach([]string{conference}, c.replicas[0])[0]
	staying := c.watchEach([]string{conference}, c.replicas[1])[0]
	left := time.Now()
	leaving.close()
	next := c.nextList(conference, 0, left)
	eventually(t, "more lists", func() bool { return len(c.upstream.lists(conference, next.began)) > 3 })
	lists := c.upstream.lists(conference, left)
	for i, list := range lists[1:] {
		if gap := list.began.Sub(lists[i].began); gap > interval+400*time.Millisecond+stalls.since(lists[i].began) {
			t.Errorf("%s between two lists", gap)
		}
	}
	expectFresh(t, staying, left)
}

// TestR01_DeploymentsDoNotMix has two deployments share a Redis: with other prefixes, and with other
// upstreams.
func TestR01_DeploymentsDoNotMix(t *testing.T) {
	t.Parallel()
	const conference = "conf_mixed"
	first := start(t, 1, options{simulator: still})
	first.upstream.join(conference, 1)
	for n, flags := range [][]string{{"--redis-prefix=other:"}, nil} {
		other := start(t, 1, options{simulator: still, shared: first.redis, flags: flags})
		other.upstream.join(conference, 2+n)
		other.watchEach([]string{conference}, other.replicas...)
		other.converge()
	}
	first.watchEach([]string{conference}, first.replicas...)
	first.converge()
}

// TestR07_ARefreshReachesTheReplicaThatPolls refreshes at each replica, also at one without a feed.
func TestR07_ARefreshReachesTheReplicaThatPolls(t *testing.T) {
	t.Parallel()
	const conference = "conf_refresh"
	c := start(t, 3, options{simulator: still, flags: []string{"--poll-interval=60s", "--max-poll-interval=60s"}})
	w := c.watchEach([]string{conference}, c.replicas[:2]...)[0]
	for n, r := range c.replicas {
		id := c.upstream.join(conference, n)
		if _, err := r.GRPC.RefreshParticipants(c.context(), &v2.RefreshParticipantsRequest{ConferenceId: conference}); err != nil {
			t.Errorf("refresh at replica %d: %v", n, err)
		}
		eventually(t, "the list comes", func() bool { return w.holds(id) })
	}
}

// TestR01_AConferenceThatDoesNotExist is NOT_FOUND on every replica.
func TestR01_AConferenceThatDoesNotExist(t *testing.T) {
	t.Parallel()
	c := start(t, 2, options{simulator: simulator.Options{KnownOnly: true}})
	for n, r := range c.replicas {
		stream, err := r.GRPC.WatchParticipants(c.context(), &v2.WatchParticipantsRequest{ConferenceId: "conf_unknown"})
		if err == nil {
			_, err = stream.Recv()
		}
		if status.Code(err) != codes.NotFound {
			t.Errorf("watch at replica %d: %v", n, err)
		}
	}
}
