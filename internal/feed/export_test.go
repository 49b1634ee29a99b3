package feed

import "github.com/audian/participant-gateway/internal/roster"

// ChangeRoster commits what plan returns, like a write.
func (f *Feed) ChangeRoster(plan func() roster.Batch) {
	f.mu.Lock()
	defer f.unlock()
	f.changeRoster(plan)
}
