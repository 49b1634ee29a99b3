package main

import (
	"net/http"
	"testing"
	"time"
)

// replicaHarness has a cluster without processes.
func replicaHarness() *harness {
	w := newTestHarness()
	w.settings.replicas, w.cluster, w.upstream = 3, &cluster{}, &upstreamServer{}
	return w
}

// fault records a fault that began and ended at times.
func (d *disturbances) fault(kind disturbance, from, to time.Time) {
	d.spans = append(d.spans, span{kind, from, to})
}

// every returns n times with a distance, the first of which is a start.
func every(start time.Time, distance time.Duration, n int) (times []time.Time) {
	for i := range n {
		times = append(times, start.Add(time.Duration(i)*distance))
	}
	return times
}

func TestR01_TooManyPollsAreFound(t *testing.T) {
	began := time.Now()
	for name, test := range map[string]struct {
		lists []time.Time
		rule  string
	}{
		"one an interval": {every(began, clusterPolls, 100), ""},
		"two pollers":     {every(began, clusterPolls/2, 100), tooManyPolls},
		"a takeover":      {append(every(began, clusterPolls, 20), every(began.Add(8*time.Second), clusterPolls, 20)...), ""},
	} {
		w := replicaHarness()
		w.upstream.arrivals.lists = map[string][]time.Time{quietConference: test.lists}
		w.checkPolls()
		expect(t, name, w.results, test.rule)
	}
}

func TestR03_LateTakeoversAreFound(t *testing.T) {
	began := time.Now()
	for name, test := range map[string]struct {
		gap  time.Duration
		kind disturbance
		rule string
	}{
		"in time":              {4 * time.Second, oneReplica, ""},
		"late":                 {6 * time.Second, oneReplica, lateTakeovers},
		"while Redis was away": {6 * time.Second, allReplicas, ""},
		"without the upstream": {6 * time.Second, upstreamBad, ""},
	} {
		w := replicaHarness()
		w.cluster.fault(test.kind, began, began.Add(time.Second))
		w.upstream.arrivals.lists = map[string][]time.Time{quietConference: {began, began.Add(test.gap)}}
		w.checkPolls()
		expect(t, name, w.results, test.rule)
	}
}

func TestR05_TooManyAddsAreFound(t *testing.T) {
	began := time.Now()
	for name, test := range map[string]struct {
		n      int
		faults []disturbance
		rule   string
	}{
		"ten":                              {10, []disturbance{upstreamBad}, ""},
		"eleven":                           {11, []disturbance{upstreamBad}, tooManyAdds},
		"a share on top":                   {13, []disturbance{oneReplica}, ""},
		"more than a share on top":         {14, []disturbance{oneReplica}, tooManyAdds},
		"the shares of two":                {16, []disturbance{oneReplica, oneReplica}, ""},
		"more than the shares of two":      {17, []disturbance{oneReplica, oneReplica}, tooManyAdds},
		"more than a share, Redis is away": {14, []disturbance{allReplicas}, tooManyAdds},
		"delayed ones that come together":  {14, []disturbance{upstreamSlow}, ""},
	} {
		w := replicaHarness()
		for _, kind := range test.faults {
			w.cluster.fault(kind, began, began.Add(time.Second))
		}
		w.upstream.arrivals.adds = every(began, 10*time.Millisecond, test.n)
		w.checkAddRate()
		expect(t, name, w.results, test.rule)
	}
}

func TestArrivalsAreListsAndAddsOfConferences(t *testing.T) {
	var a arrivals
	a.add(http.MethodPost, "/v2/conferences/conf_a/participants")
	a.add(http.MethodGet, "/v2/conferences/conf_a/participants")
	a.add(http.MethodGet, "/v2/conferences/conf_a/participants/part_1")
	a.add(http.MethodDelete, "/v2/conferences/conf_a/participants/part_1")
	if len(a.adds) != 1 || len(a.lists) != 1 || len(a.lists["conf_a"]) != 1 {
		t.Errorf("adds %v, lists %v", a.adds, a.lists)
	}
}

func TestR06_ForgottenClaimsAreExcused(t *testing.T) {
	began := time.Now()
	for name, test := range map[string]struct {
		kind  disturbance
		ended bool
		want  bool
	}{
		"no loss":                            {oneReplica, true, false},
		"Redis was flushed":                  {claimsLost, false, true},
		"Redis was replaced":                 {dataLost, false, false},
		"Redis was replaced, and the holder": {dataLost, true, true},
	} {
		w, holder := replicaHarness(), &gateway{}
		holder.ending.Store(test.ended)
		w.cluster.fault(test.kind, began, began.Add(time.Second))
		if got := w.cluster.mayForget(began, []*gateway{{}, holder}); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestR08_OneSnapshotFollowsALossOfRedis(t *testing.T) {
	expired := because("resume_expired", snap(ada("held")))
	for name, test := range map[string]struct {
		losses, snapshots int
		long              bool
		rule              string
	}{
		"one":               {1, 1, false, ""},
		"another":           {1, 2, false, changesLost},
		"after two losses":  {2, 2, false, ""},
		"without a loss":    {0, 1, false, changesLost},
		"long after a loss": {1, 1, true, changesLost},
	} {
		w, now := replicaHarness(), time.Now()
		if test.long {
			now = now.Add(-time.Minute)
		}
		for range test.losses {
			w.cluster.fault(dataLost, now.Add(-time.Second), now.Add(-time.Millisecond))
		}
		client := &watcher{harness: w, conference: "conf_a", transport: "gRPC", held: roster{}, token: "t", at: time.Now()}
		for range test.snapshots {
			client.checkBaseline(&stream{gateway: &gateway{}, resumeToken: "t"}, expired)
		}
		expect(t, name, w.results, test.rule)
	}
}
