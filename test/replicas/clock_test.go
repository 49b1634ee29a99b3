package replicas_test

import (
	"testing"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// TestR12_AMinuteOfSkew runs replicas whose clocks are a minute apart, through writes and a takeover.
func TestR12_AMinuteOfSkew(t *testing.T) {
	t.Parallel()
	const conference = "conf_skew"
	c := start(t, 3, options{simulator: still, skew: []int{0, 60, -60}})
	watchers := c.watchEach([]string{conference}, c.replicas...)
	c.churn(conference, 10)
	poller := c.upstream.poller(conference)
	failed := time.Now()
	c.replicas[poller].kill()
	next := c.nextList(conference, poller, failed)
	if took := next.began.Sub(failed); took > takeoverWithin+stalls.since(failed) {
		t.Errorf("another replica polled after %s", took)
	}
	c.replicas[poller].restart()
	watchers[poller].move(c.replicas[poller])
	c.churn(conference, 20)
	for i, w := range watchers {
		if i != poller {
			expectFresh(t, w, failed)
		}
		if off := time.Until(c.replicas[i].lastSuccess(conference)).Abs(); off > 10*time.Second {
			t.Errorf("replica %d reports a last success that is %s off", i, off)
		}
	}
}

// lastSuccess returns the time of the last list that a replica reports.
func (r *replica) lastSuccess(conference string) time.Time {
	t := r.cluster.t
	t.Helper()
	stream, err := r.GRPC.WatchParticipants(r.cluster.context(), &v2.WatchParticipantsRequest{ConferenceId: conference})
	for err == nil {
		var m *v2.WatchParticipantsResponse
		if m, err = stream.Recv(); m.GetCheckpoint() != nil {
			return m.GetCheckpoint().GetLastSuccessTime().AsTime()
		}
	}
	t.Fatal(err)
	return time.Time{}
}
