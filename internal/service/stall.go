package service

import (
	"sync"
	"time"
)

// guard finds out that a send makes no progress (W12). What gRPC still holds of an
// earlier message counts: the next send waits for it.
type guard struct {
	// blocked is closed when a send has made no progress for blockedFor.
	blocked chan struct{}

	mu      sync.Mutex
	timer   *time.Timer
	sending bool
}

func newGuard() *guard {
	g := &guard{blocked: make(chan struct{})}
	g.timer = time.AfterFunc(blockedFor, sync.OnceFunc(func() { close(g.blocked) }))
	g.timer.Stop()
	return g
}

// begin guards a send until end.
func (g *guard) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sending = true
	g.timer.Reset(blockedFor)
}

// progress gives the send its whole time again.
func (g *guard) progress() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sending {
		g.timer.Reset(blockedFor)
	}
}

func (g *guard) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sending = false
	g.timer.Stop()
}
