package feed

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// State is what a feed holds at one moment. It never changes, so that any number of
// subscribers read it without a lock.
type State struct {
	// Position is the head of the log.
	Position Position
	// History are the kept entries that watchers see.
	History []Entry
	// Floor is the sequence number of the newest such entry that is kept no more.
	Floor uint64
	// Known says that a list was read; until then there is no roster.
	Known bool
	// Participants is the roster at Position, sorted by id.
	Participants  []participant.Participant
	Total, Active int
	// ObservedAt is when the last list that was applied began, an incomplete one too.
	ObservedAt time.Time
	// LastSuccess is when the last list that was read began.
	LastSuccess time.Time
	// Stale says that the roster may be out of date, StaleReason why.
	Stale       bool
	StaleReason apierror.Reason
	// PollInterval is the interval in force (W15).
	PollInterval time.Duration
	// End is set when the feed is over.
	End *End
}

// End is how a feed ended: by the upstream's refusal. Gone says that a known
// conference is no more, which ends its streams well (W11).
type End struct {
	Err  error
	Gone bool
}

// After gives the visible entries after a position; false where the log does not, or no
// longer, hold them all.
func (s *State) After(p Position) ([]Entry, bool) {
	if p.Epoch != s.Position.Epoch || p.Seq > s.Position.Seq || p.Seq < s.Floor {
		return nil, false
	}
	first := sort.Search(len(s.History), func(i int) bool { return s.History[i].Seq > p.Seq })
	return s.History[first:], true
}

// Find gives the participant with an id.
func (s *State) Find(id string) (participant.Participant, bool) {
	i, found := slices.BinarySearchFunc(s.Participants, id, func(p participant.Participant, id string) int {
		return strings.Compare(p.ID, id)
	})
	if !found {
		return participant.Participant{}, false
	}
	return s.Participants[i], true
}
