package roster

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// A total that is larger than the list by the same number is the upstream's way of
// counting once that many lists over so long a time have shown it (W7).
const (
	surplusLists = 10
	surplusTime  = time.Minute
)

// surplus learns by how many an upstream counts more participants than it lists.
type surplus struct {
	// learned is taken off every total; 0 where nothing was learned.
	learned int
	// difference is what the last lists, in a row, had too few; the first of them began
	// at since.
	difference, lists int
	since             time.Time
}

// complete reports whether a list contains everybody whom the upstream counts. It calls
// shownSince to ask whether lists begun since a time have shown the whole roster.
func (s *surplus) complete(list participant.List, shownSince func(time.Time) bool) bool {
	if list.PageErr != nil || list.Total == nil || list.Placeholder {
		s.difference, s.lists = 0, 0
		return list.Complete()
	}
	switch difference := *list.Total - list.Read; {
	case difference <= 0:
		*s = surplus{}
		return true
	case difference == s.learned:
		return true
	default:
		return s.learn(difference, list.Began, shownSince)
	}
}

// learn counts a list that lacks some, and reports whether it was the last that was
// needed to take their number for the upstream's way of counting.
func (s *surplus) learn(difference int, began time.Time, shownSince func(time.Time) bool) bool {
	if difference != s.difference {
		*s = surplus{difference: difference, since: began}
	}
	s.lists++
	if s.lists < surplusLists || began.Sub(s.since) < surplusTime || !shownSince(s.since) {
		return false
	}
	*s = surplus{learned: difference}
	return true
}

// shownSince reports whether lists begun since a time have shown everybody listed.
func (r *Roster) shownSince(since time.Time) bool {
	for _, member := range r.members {
		if member.Listed && member.LastShownAt.Before(since) {
			return false
		}
	}
	return true
}
