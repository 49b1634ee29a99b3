package feed

import (
	"context"

	"github.com/audian/participant-gateway/internal/roster"
)

// ChangeRoster commits what plan returns, like a write.
func (f *Feed) ChangeRoster(plan func() roster.Batch) {
	f.commit(context.Background(), func() *Draft { return &Draft{Batch: plan()} }, nil)
}
