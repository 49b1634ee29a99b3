package roster

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// If this many consecutive lists over this long have the same difference between total and
// items, the upstream counts that many participants that it does not list (W7).
const (
	surplusLists = 10
	surplusTime  = time.Minute
)

// surplus learns how many more participants an upstream counts than it lists.
type surplus struct {
	// learned is subtracted from every total; 0 if nothing was learned.
	learned int
	// difference is the equal difference of the last lists; the first of them began at
	// since.
	difference, lists int
	since             time.Time
}

// complete reports whether a list contains everybody whom the upstream counts. It calls
// allListedSince to ask whether lists begun since a time have contained the whole roster.
func (s *surplus) complete(list participant.List, allListedSince func(time.Time) bool) bool {
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
		return s.learn(difference, list.Began, allListedSince)
	}
}

// learn counts a list with fewer items than its total. It reports whether the difference is
// now learned.
func (s *surplus) learn(difference int, began time.Time, allListedSince func(time.Time) bool) bool {
	if difference != s.difference {
		*s = surplus{difference: difference, since: began}
	}
	s.lists++
	if s.lists < surplusLists || began.Sub(s.since) < surplusTime || !allListedSince(s.since) {
		return false
	}
	*s = surplus{learned: difference}
	return true
}

// allListedSince reports whether lists begun since a time have contained everybody present.
func (r *Roster) allListedSince(since time.Time) bool {
	for _, member := range r.members {
		if member.Present && member.LastListedAt.Before(since) {
			return false
		}
	}
	return true
}
