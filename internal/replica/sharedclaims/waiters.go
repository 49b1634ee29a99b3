package sharedclaims

import "sync"

// waiters are the calls that wait for the end of claims, by key. The zero value is ready.
type waiters struct {
	mu    sync.Mutex
	calls map[string]map[chan struct{}]struct{}
}

// add returns a channel that receives when a claim ends, and a function to call in the end.
func (w *waiters) add(key string) (ended <-chan struct{}, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls == nil {
		w.calls = map[string]map[chan struct{}]struct{}{}
	}
	if w.calls[key] == nil {
		w.calls[key] = map[chan struct{}]struct{}{}
	}
	c := make(chan struct{}, 1)
	w.calls[key][c] = struct{}{}
	return c, func() { w.remove(key, c) }
}

func (w *waiters) remove(key string, c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.calls[key], c)
	if len(w.calls[key]) == 0 {
		delete(w.calls, key)
	}
}

func (w *waiters) wake(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.calls[key] {
		notify(c)
	}
}

func (w *waiters) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, calls := range w.calls {
		for c := range calls {
			notify(c)
		}
	}
}

// notify wakes the receiver of a channel with capacity 1, unless it is notified already.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
