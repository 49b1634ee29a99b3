package upstream

import "sync"

// signal tells any number of waiters that something changed. The zero signal is ready;
// its lock may be taken under any other.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

// next is closed at the next ring.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) ring() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
