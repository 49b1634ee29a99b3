package histories_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/roster"
)

// misled reports whether a change rests on a list that lied about its participant: it
// removed one who was there, or is the last that says anything of one who is shown now.
func (l *lists) misled(t *truth, entry feed.Entry, change roster.Change, lag time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	list, before := l.told(entry)
	switch {
	case list == nil || change.ByWrite:
		return false
	case change.After == nil:
		return list.liesAbout(t, change.Before.ID, lag)
	}
	for _, other := range slices.Backward(before) {
		switch {
		case other.broken || other.surplus() > 0:
		case other.liesAbout(t, change.After.ID, lag):
			return len(entry.Changes) > 1 || !other.began.Before(entry.NotBefore)
		case other.shows(change.After.ID) || !other.placeholder:
			return false
		}
	}
	return false
}

func (l *listRead) liesAbout(t *truth, id string, lag time.Duration) bool {
	return l.lies && t.wasThere(id, l.began.Add(-lag), l.ended)
}

// checkFresh says whether a feed may be stale (W10): not while its own last poll was a
// success that is not old, whatever becomes of other conferences.
func (l *lists) checkFresh(w *world, state *feed.State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !known(state) || l.failing || len(l.read) == 0:
		return nil
	case !state.Stale:
		if w.history.Neighbours > 0 {
			w.seen.add(freshBesideOther)
		}
		return nil
	}
	began := l.read[len(l.read)-1].began
	if began.Equal(state.LastSuccess) && time.Since(began) < max(5*time.Second, 2*state.PollInterval) {
		return fmt.Errorf("W10: stale %s after a list began that succeeded", time.Since(began))
	}
	return nil
}
