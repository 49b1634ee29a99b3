package interceptor

import "sync"

// callCount counts the running calls, so that a drain can wait for the last one.
type callCount struct {
	mu      sync.Mutex
	running int
	waiting chan struct{}
}

func (c *callCount) enter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running++
}

func (c *callCount) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	c.notify()
}

// idle returns a channel that is closed when no call is running.
func (c *callCount) idle() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		c.waiting = make(chan struct{})
	}
	waiting := c.waiting
	c.notify()
	return waiting
}

// notify closes the channel if no call is running. The lock is held.
func (c *callCount) notify() {
	if c.running == 0 && c.waiting != nil {
		close(c.waiting)
		c.waiting = nil
	}
}
