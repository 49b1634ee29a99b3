package replicas_test

import (
	"testing"
	"time"
)

// TestProcessesWithoutRedisShareNothing tests what --redis-url changes.
func TestProcessesWithoutRedisShareNothing(t *testing.T) {
	t.Parallel()
	const conference = "conf_alone"
	c := start(t, 2, options{alone: true})
	c.upstream.join(conference, 1)
	began := time.Now()
	first, second := c.watch(c.replicas[0], conference), c.watch(c.replicas[1], conference)
	first.await("is fresh", first.isFresh)
	second.await("is fresh", second.isFresh)
	if got := c.upstream.pollers(conference, began); len(got) != 2 {
		t.Errorf("polled by %v, want each process", got)
	}
	second.close()
	first.expired = 1
	first.move(c.replicas[1])
	first.await("has its snapshot", first.isFresh)
	if m := first.messages()[0]; m.Snapshot == nil || m.Snapshot.Reason != "resume_expired" {
		t.Errorf("first message at another process: %s", describe(m.Message))
	}
	c.upstream.join(conference, 2)
	c.converge()
}
