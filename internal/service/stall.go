package service

import (
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/watch"
)

// stallDetector detects a send without progress (W12). grpc-go may still hold an earlier
// message: the next send waits for it, and counts for both.
type stallDetector struct {
	// stalled is closed when a send has made no progress for watch.SendTimeout.
	stalled chan struct{}

	mu      sync.Mutex
	timer   *time.Timer
	sending bool
}

func newStallDetector() *stallDetector {
	d := &stallDetector{stalled: make(chan struct{})}
	d.timer = time.AfterFunc(watch.SendTimeout, sync.OnceFunc(func() { close(d.stalled) }))
	d.timer.Stop()
	return d
}

// begin starts the timer of a send.
func (d *stallDetector) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sending = true
	d.timer.Reset(watch.SendTimeout)
}

// progress restarts the timer.
func (d *stallDetector) progress() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sending {
		d.timer.Reset(watch.SendTimeout)
	}
}

func (d *stallDetector) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sending = false
	d.timer.Stop()
}
