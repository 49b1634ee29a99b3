package feed

import "sync"

// Bell wakes those who wait for a feed to change, by a channel that is closed.
type Bell struct {
	mu sync.Mutex
	// next is closed by the next ring; nil where nobody has asked for it.
	next chan struct{}
}

// Next is closed when the bell rings next. Whoever waits takes it first and looks at the
// feed then, so that no change is missed in between.
func (b *Bell) Next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next
}

// Ring wakes all who wait.
func (b *Bell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}
