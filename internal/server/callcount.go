package server

import "sync"

// callCount counts the calls under way, so that a drain knows when the last is done.
type callCount struct {
	mu    sync.Mutex
	calls int
	idle  chan struct{}
}

func (c *callCount) enter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
}

func (c *callCount) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls--
	c.tell()
}

// none is closed when no call is under way.
func (c *callCount) none() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	idle := c.idle
	c.tell()
	return idle
}

// tell closes the channel of those who wait. The lock is held.
func (c *callCount) tell() {
	if c.calls == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}
