package redisconn

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// clock estimates Redis' time from samples (R12). It measures by the local monotonic clock, so
// that a step of the local time changes nothing.
type clock struct {
	local func() time.Time
	start time.Time
	// base is Redis' time at start.
	base atomic.Pointer[time.Time]

	mu      sync.Mutex
	samples []timeSample
}

// timeSample is one measurement of base.
type timeSample struct {
	at    time.Duration
	base  time.Time
	error time.Duration
}

const (
	// sampleAge is how long a precise sample is preferred to newer ones.
	sampleAge = 10 * time.Second
	// drift is more than two clocks drift apart in sampleAge.
	drift = 2 * time.Millisecond
)

func newClock(local func() time.Time) *clock {
	c := &clock{local: local, start: local()}
	base := c.start.Round(0)
	c.base.Store(&base)
	return c
}

// Now returns Redis' time. It may step back by the error of a sample.
func (c *clock) now() time.Time { return c.base.Load().Add(c.elapsed()) }

// elapsed returns the time since start.
func (c *clock) elapsed() time.Duration { return c.local().Sub(c.start) }

// reset forgets the samples of another Redis, but keeps the estimate until the next sample.
func (c *clock) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.samples = nil
}

// add adds a sample: Redis' time, read between two readings of elapsed.
func (c *clock) add(sent, received time.Duration, redisTime time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	half := (received - sent) / 2
	latest := timeSample{at: received, base: redisTime.Add(-(sent + half)), error: half}
	c.samples = slices.DeleteFunc(c.samples, func(s timeSample) bool {
		return received-s.at > sampleAge || s.base.Sub(latest.base).Abs() > s.error+latest.error+drift
	})
	c.samples = append(c.samples, latest)
	best := slices.MinFunc(c.samples, func(a, b timeSample) int { return int(a.error - b.error) })
	c.base.Store(&best.base)
}
