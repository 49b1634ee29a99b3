package replicahistories_test

import (
	"errors"
	"sync"
	"time"
)

// gate holds what a replica does, like a process that was stopped, or ends it.
type gate struct {
	mu sync.Mutex
	// open is closed while the replica runs.
	open   chan struct{}
	paused bool
	// killed is closed when the replica is killed.
	killed chan struct{}
	// resumed is when the last pause ended.
	resumed time.Time
}

var errKilled = errors.New("the replica was killed")

func newGate() *gate {
	g := &gate{open: make(chan struct{}), killed: make(chan struct{})}
	close(g.open)
	return g
}

// pass waits while the replica is paused. It fails if the replica was killed.
func (g *gate) pass() error {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-open:
	case <-g.killed:
	}
	if g.isKilled() {
		return errKilled
	}
	return nil
}

func (g *gate) isKilled() bool {
	select {
	case <-g.killed:
		return true
	default:
		return false
	}
}

func (g *gate) pause() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.paused {
		g.open, g.paused = make(chan struct{}), true
	}
}

func (g *gate) resume() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.paused {
		close(g.open)
		g.paused, g.resumed = false, time.Now()
	}
}

// stopped reports whether the replica is paused, was a moment ago, or was killed: what it began
// may still be under way while another replica does the same.
func (g *gate) stopped() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.isKilled() || g.paused || time.Since(g.resumed) < wakeFor+time.Second
}
