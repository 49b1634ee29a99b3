package service

import (
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/watch"
)

// stallDetector detects a send without progress (W12). grpc-go may still hold an earlier
// message: the next send waits for it, and counts for both.
//
// Its timer is not set for each send: when it expires, it is set for the rest of the send that
// is in progress then, if any.
type stallDetector struct {
	// onStall is called when a send has made no progress for watch.SendTimeout.
	onStall func()

	mu sync.Mutex
	// since is when the send in progress began or last made progress; zero if there is none.
	since time.Time
	// timer runs if it is armed. There is none before the first send.
	timer *time.Timer
	armed bool
}

// begin is called before a send.
func (d *stallDetector) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.since = time.Now()
	if !d.armed {
		d.arm(watch.SendTimeout)
	}
}

// progress is called when a part was sent.
func (d *stallDetector) progress() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.since.IsZero() {
		d.since = time.Now()
	}
}

// end is called after a send.
func (d *stallDetector) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.since = time.Time{}
}

// stop ends the timer, after the last send.
func (d *stallDetector) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.since = time.Time{}
	if d.timer != nil {
		d.timer.Stop()
	}
}

// check is called when the timer expires. gRPC may call progress with a lock of its own, which
// onStall needs: so onStall is called without d.mu.
func (d *stallDetector) check() {
	if d.isStalled() {
		d.onStall()
	}
}

func (d *stallDetector) isStalled() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed = false
	if d.since.IsZero() {
		return false
	}
	left := time.Until(d.since.Add(watch.SendTimeout))
	if left > 0 {
		d.arm(left)
	}
	return left <= 0
}

// arm sets the timer. d.mu is held.
func (d *stallDetector) arm(after time.Duration) {
	d.armed = true
	if d.timer == nil {
		d.timer = time.AfterFunc(after, d.check)
		return
	}
	d.timer.Reset(after)
}
