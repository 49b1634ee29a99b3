package replicahistories_test

import (
	"fmt"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/roster"
)

// shown is what the upstream has told any replica.
type shown struct {
	mu sync.Mutex
	// statuses are those that a list has shown or a write has named.
	statuses map[named]bool
	// removed are the ids of removes that have succeeded.
	removed map[string]bool
	lists   []list
	// tokens are those that requests carried, exchanges how many were issued.
	tokens    map[string]bool
	exchanges int
}

type named struct{ id, status string }

// list is one answer to a list request.
type list struct {
	began, ended time.Time
	ids          map[string]bool
}

func newShown() *shown {
	return &shown{statuses: map[named]bool{}, removed: map[string]bool{}, tokens: map[string]bool{}}
}

// clockError is by how much the times of a log may be wrong (R12).
const clockError = 500 * time.Millisecond

// check fails if an entry tells what nobody has shown (W8), or at a wrong time (R12).
func (s *shown) check(entry feed.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if late := time.Until(entry.NotAfter); late > clockError {
		return fmt.Errorf("R12: entry %d ends %s in the future", entry.Seq, late)
	}
	if age := entry.At.Sub(entry.NotAfter); age > time.Minute/2 || age < -clockError {
		return fmt.Errorf("R12: entry %d was appended %s after its list or write", entry.Seq, age)
	}
	for _, change := range entry.Changes {
		if err := s.checkChange(entry, change); err != nil {
			return fmt.Errorf("entry %d: %w", entry.Seq, err)
		}
	}
	return nil
}

func (s *shown) checkChange(entry feed.Entry, change roster.Change) error {
	switch {
	case change.After != nil:
		if !s.statuses[named{change.After.ID, string(change.After.Status)}] {
			return fmt.Errorf("W8: nobody has shown %s as %s", change.After.ID, change.After.Status)
		}
	case change.ByWrite:
		if !s.removed[change.Before.ID] {
			return fmt.Errorf("W8: nobody has removed %s", change.Before.ID)
		}
	case !s.lacked(change.Before.ID, entry.NotAfter):
		return fmt.Errorf("W8: no list until %s lacks %s", entry.NotAfter, change.Before.ID)
	}
	return nil
}

// lacked reports whether a list that ended at about a time lacks a participant.
func (s *shown) lacked(id string, at time.Time) bool {
	for _, l := range s.lists {
		if !l.ids[id] && l.began.Before(at.Add(clockError)) && l.ended.After(at.Add(-clockError)) {
			return true
		}
	}
	return false
}
