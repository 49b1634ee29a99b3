package replicas_test

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestR05_AFullReplicaLeavesTurnsToOthers sends many adds at one replica and a few at another.
func TestR05_AFullReplicaLeavesTurnsToOthers(t *testing.T) {
	t.Parallel()
	const conference = "conf_fair"
	c := start(t, 2, options{simulator: unlimited})
	began := time.Now()
	wait := c.replicas[0].occupy(conference)
	for n := range 3 {
		asked := time.Now()
		if got := c.replicas[1].addNamed("conf_other", n, ""); got.err != nil {
			t.Errorf("add %d: %v", n, got.err)
		}
		// Half of the turns are its own: the next one comes when the window has room.
		if took := time.Since(asked); took > 2500*time.Millisecond+stalls.since(asked) {
			t.Errorf("add %d took %s", n, took)
		}
	}
	wait()
	expectAtMost(t, "all", c.upstream.adds(began), 10)
}

// TestR05_TurnsOfADeadReplicaReturn kills a replica while its adds wait: the others get the whole
// budget soon.
func TestR05_TurnsOfADeadReplicaReturn(t *testing.T) {
	t.Parallel()
	const conference = "conf_dead"
	c := start(t, 2, options{simulator: unlimited})
	began := time.Now()
	wait := c.replicas[0].occupy(conference)
	c.replicas[0].kill()
	wait()
	<-time.After(3 * time.Second)
	second := time.Now()
	var calls sync.WaitGroup
	for n := range 20 {
		calls.Go(func() {
			if got := c.replicas[1].addNamed(conference, n, ""); got.err != nil {
				t.Errorf("add %d: %v", n, got.err)
			}
		})
	}
	calls.Wait()
	if took := time.Since(second); took > 3500*time.Millisecond+stalls.since(second) {
		t.Errorf("20 adds took %s", took)
	}
	expectAtMost(t, "all", c.upstream.adds(began), 10)
}

// TestR08_AReplicaThatIsCutOffAddsItsShare adds through a replica without Redis, and through the
// others: ten a second, and its third on top. Without Redis, all together add ten a second.
func TestR08_AReplicaThatIsCutOffAddsItsShare(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ cut, most, cutMost int }{
		"one is cut off":  {1, 13, 3},
		"all are cut off": {3, 9, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const conference = "conf_share"
			c := start(t, 3, options{simulator: unlimited})
			eventually(t, "all know each other", func() bool { return len(c.keys(redisPrefix+"replicas*")) > 0 })
			<-time.After(3 * time.Second) // Known within 3 s.
			for _, r := range c.replicas[:test.cut] {
				r.network.Cut()
			}
			for _, r := range c.replicas[:test.cut] {
				eventually(t, "the replica knows", func() bool { return r.addNamed(conference, 900, "probe").reason == away })
			}
			began := time.Now()
			var calls sync.WaitGroup
			for n := range 36 {
				calls.Go(func() {
					if got := c.replicas[n%3].addNamed(conference, n, ""); got.err != nil {
						t.Errorf("add %d: %+v", n, got)
					}
				})
			}
			calls.Wait()
			found := c.upstream.adds(began)
			if len(found) != 36 {
				t.Fatalf("%d adds", len(found))
			}
			expectAtMost(t, "all", found, test.most)
			for n := range test.cut {
				var own []request
				for _, add := range found {
					if add.replica == n {
						own = append(own, add)
					}
				}
				expectAtMost(t, fmt.Sprintf("replica %d", n), own, test.cutMost)
			}
		})
	}
}

// expectAtMost fails the test if more adds began within a second; a slow machine may delay the
// first of them.
func expectAtMost(t *testing.T, whose string, adds []request, most int) {
	t.Helper()
	for i := most; i < len(adds); i++ {
		if apart := adds[i].began.Sub(adds[i-most].began); apart+stalls.since(adds[i-most].began) < 900*time.Millisecond {
			t.Errorf("%s: %d adds within %s", whose, most+1, apart)
		}
	}
}
