package histories_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/roster"
)

// misled reports whether a wrong list caused a change: it removed a participant who was there,
// or it is the last list before this one that counts for a participant who is listed now.
func (l *lists) misled(t *truth, entry feed.Entry, change roster.Change, lag time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	list, before := l.listOf(entry)
	switch {
	case list == nil || change.ByWrite:
		return false
	case change.After == nil:
		return list.contradicts(t, change.Before.ID, lag)
	}
	for _, other := range slices.Backward(before) {
		switch {
		case other.broken || other.surplus() > 0:
		case other.contradicts(t, change.After.ID, lag):
			return len(entry.Changes) > 1 || !other.began.Before(entry.NotBefore)
		case other.shows(change.After.ID) || !other.placeholder:
			return false
		}
	}
	return false
}

func (l *listRead) contradicts(t *truth, id string, lag time.Duration) bool {
	return l.lies && t.wasThere(id, l.began.Add(-lag), l.ended)
}

// checkFresh fails if a feed is stale that must be fresh (W10): its own last poll succeeded
// recently. Other conferences do not matter.
func (l *lists) checkFresh(w *harness, state *feed.State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !known(state) || l.failing || len(l.read) == 0:
		return nil
	case !state.Stale:
		if w.history.Neighbours > 0 {
			w.seen.add(freshBesideFailing)
		}
		return nil
	}
	began := l.read[len(l.read)-1].began
	if began.Equal(state.LastSuccess) && time.Since(began) < max(5*time.Second, 2*state.PollInterval) {
		return fmt.Errorf("W10: stale %s after a list began that succeeded", time.Since(began))
	}
	return nil
}
