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

// Surplus is how many more participants an upstream counts than it lists, as far as it is
// learned.
type Surplus struct {
	// Learned is subtracted from every total; 0 if nothing was learned.
	Learned int `json:"n"`
	// Difference is the equal difference of the last Lists; the first of them began at
	// Since.
	Difference int       `json:"d"`
	Lists      int       `json:"l"`
	Since      time.Time `json:"s"`
}

// complete reports whether a list contains all participants that the total counts. It calls
// allListedSince to ask whether lists begun since a time have contained the whole roster.
func (s *Surplus) complete(list participant.List, allListedSince func(time.Time) bool) bool {
	if list.PageErr != nil || list.Total == nil || list.Placeholder {
		s.Difference, s.Lists = 0, 0
		return list.Complete()
	}
	switch difference := *list.Total - list.Read; {
	case difference <= 0:
		*s = Surplus{}
		return true
	case difference == s.Learned:
		return true
	default:
		return s.learn(difference, list.Began, allListedSince)
	}
}

// learn counts a list with fewer items than its total. It reports whether the difference is
// now learned.
func (s *Surplus) learn(difference int, began time.Time, allListedSince func(time.Time) bool) bool {
	if difference != s.Difference {
		*s = Surplus{Difference: difference, Since: began}
	}
	s.Lists++
	if s.Lists < surplusLists || began.Sub(s.Since) < surplusTime || !allListedSince(s.Since) {
		return false
	}
	*s = Surplus{Learned: difference}
	return true
}
