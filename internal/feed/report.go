package feed

import (
	"reflect"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// Attempt is an attempt to read a list that has ended.
type Attempt struct {
	// Began is when it began, by this process' clock; zero if there was none.
	Began time.Time
	// Took is its duration; zero if another process failed to read the list.
	Took time.Duration
	// Reason is why there is no complete list; empty if there is.
	Reason apierror.Reason
}

// LastAttempt returns the last attempt to read a list, by this process or by the one that polls.
func (f *Feed) LastAttempt() Attempt {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := Attempt{Began: f.schedule.endedStart, Took: f.schedule.endedTook, Reason: f.freshness.lastFailure}
	if f.lease == nil && f.status != nil {
		a.Began, a.Took = shift(f.status.Started, -f.logs.Ahead()), 0
	}
	if a.Reason == "" {
		a.Took = f.freshness.took
	}
	return a
}

// Bytes returns the approximate memory of the roster and the history. It counts the texts of a
// participant once: changes mostly share them.
func (s *State) Bytes() int {
	bytes := s.People.Len() * participantSize
	for i := range s.People.Len() {
		bytes += textsOf(s.People.At(i))
	}
	for i := range s.History {
		bytes += entrySize + len(s.History[i].Changes)*(changeSize+2*participantSize)
	}
	return bytes
}

func textsOf(p participant.Participant) int {
	return len(p.ID) + len(p.PhoneNumber) + len(p.Name) + len(p.Role) + len(p.Status)
}

var (
	participantSize = sizeOf[participant.Participant]()
	changeSize      = sizeOf[roster.Change]()
	entrySize       = sizeOf[Entry]()
)

func sizeOf[T any]() int { return int(reflect.TypeFor[T]().Size()) }

// Changes returns the number of changes in the history.
func (s *State) Changes() (changes int) {
	for i := range s.History {
		changes += len(s.History[i].Changes)
	}
	return changes
}
