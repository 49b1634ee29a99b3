package replicas_test

import (
	"sync"
	"testing"
	"time"
)

// stalls measures how long the machine kept this process waiting. A bound of time that a promise
// names is extended by it, so that a busy machine fails no test.
var stalls stallMeter

// stallMeter notes how late a goroutine is woken that sleeps stallStep.
type stallMeter struct {
	mu    sync.Mutex
	found []stall
}

type stall struct {
	at   time.Time
	late time.Duration
}

const stallStep = 10 * time.Millisecond

// run measures until done is closed.
func (m *stallMeter) run(done <-chan struct{}) {
	for {
		asleep := time.Now()
		select {
		case <-done:
			return
		case <-time.After(stallStep):
		}
		if late := time.Since(asleep) - stallStep; late > time.Millisecond {
			m.mu.Lock()
			m.found = append(m.found, stall{time.Now(), late})
			m.mu.Unlock()
		}
	}
}

// since returns how long the machine stalled since a time. The gateways and Redis wait as often as
// this process.
func (m *stallMeter) since(t time.Time) (sum time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.found) - 1; i >= 0 && m.found[i].at.After(t); i-- {
		sum += m.found[i].late
	}
	return 3 * sum
}

// expectFresh fails the test if a watcher was told of STALE since a time in which the machine did
// not stall.
func expectFresh(t *testing.T, w *watcher, since time.Time) {
	t.Helper()
	if reasons := staleReasons(w.messages()); len(reasons) > 0 && stalls.since(since) < time.Second {
		t.Errorf("%s was stale: %v", w, reasons)
	}
}
