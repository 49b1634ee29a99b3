package policy

import (
	"context"
	"sync"
	"time"
)

// memory counts in this process. It knows the latest day only.
type memory struct {
	mu     sync.Mutex
	day    string
	counts map[string]int
}

func newMemory() *memory { return &memory{counts: map[string]int{}} }

var _ Counter = (*memory)(nil)

// Now implements Counter.
func (*memory) Now() time.Time { return time.Now() }

// Count implements Counter.
func (m *memory) Count(_ context.Context, caller, day string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begin(day)
	return m.counts[caller], nil
}

// Add implements Counter.
func (m *memory) Add(_ context.Context, caller, day string, limit int) (giveBack func(), counted bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begin(day)
	if m.counts[caller] >= limit {
		return nil, false, nil
	}
	m.counts[caller]++
	counting := m.day
	return func() { m.giveBack(caller, counting) }, true, nil
}

// begin forgets the days before. A clock that steps back does not begin a day again. The lock is
// held.
func (m *memory) begin(day string) {
	if day > m.day {
		m.day = day
		clear(m.counts)
	}
}

func (m *memory) giveBack(caller, day string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if day != m.day {
		return
	}
	m.counts[caller]--
	if m.counts[caller] == 0 {
		// Callers whose adds are all refused, such as made-up tokens, leave nothing.
		delete(m.counts, caller)
	}
}
