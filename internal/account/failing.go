package account

import (
	"context"
	"errors"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// failing knows whether all polls of the account fail, since when, and why (W10). It
// belongs to the budget's lock.
type failing struct {
	since   time.Time
	reason  participant.Reason
	changed signal
}

// polled notes how a poll ended.
func (f *failing) polled(read participant.List, err error) {
	switch reason := failure(read, err); {
	case reason == "":
		f.clear()
	case f.since.IsZero():
		f.since, f.reason = time.Now(), reason
		f.changed.ring()
	default:
		f.reason = reason
	}
}

func (f *failing) clear() {
	if !f.since.IsZero() {
		f.since, f.reason = time.Time{}, ""
		f.changed.ring()
	}
}

// failure is why a poll counts as failed, empty where it does not: where the upstream
// itself refused a conference, it is well.
func failure(_ participant.List, err error) participant.Reason {
	e, ok := errors.AsType[*participant.Error](err)
	switch {
	case err == nil:
		return "" // Whether the list is complete is the feed's to judge (W7).
	case ok && e.UpstreamsOwnWord():
		return ""
	default:
		return participant.ReasonOf(err)
	}
}

// polled notes how a source's poll ended, unless it was cut short from here.
func (b *budget) polled(ctx context.Context, s *Source, read participant.List, err error) {
	if ctx.Err() != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if read.Pages > 0 {
		s.pages = read.Pages
	}
	b.failing.polled(read, err)
}
