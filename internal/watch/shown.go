package watch

import (
	"slices"
	"sort"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// shownEntries are the entries of a log that a filter shows. A subscriber is not woken for those that
// it hides: so its cursor may be at an entry that the log no longer keeps, although the subscriber has
// missed nothing.
type shownEntries struct {
	// after is the position after which all are known.
	after feed.Position
	// seqs are their sequence numbers, in order.
	seqs []uint64
}

// add adds an entry, unless it is the last one, and drops those up to floor.
func (s *shownEntries) add(seq, floor uint64) {
	if last := len(s.seqs) - 1; last >= 0 && s.seqs[last] == seq {
		return
	}
	if dropped := s.count(floor); dropped > 0 {
		s.after.Seq = s.seqs[dropped-1]
		s.seqs = s.seqs[dropped:]
	}
	s.seqs = append(s.seqs, seq)
}

// count returns how many entries are not after a sequence number.
func (s *shownEntries) count(seq uint64) int {
	return sort.Search(len(s.seqs), func(i int) bool { return s.seqs[i] > seq })
}

// later returns those after a position. It returns false if they are not all known.
func (s *shownEntries) later(p feed.Position) (seqs []uint64, known bool) {
	if p.Epoch != s.after.Epoch || p.Seq < s.after.Seq {
		return nil, false
	}
	return s.seqs[s.count(p.Seq):], true
}

// views are the views of one feed.
type views struct {
	all map[*view]struct{}
	// selecting are those whose filter is not on a single participant, and byID the others.
	selecting map[*view]struct{}
	byID      map[string][]*view
}

func newViews() views {
	return views{all: map[*view]struct{}{}, selecting: map[*view]struct{}{}, byID: map[string][]*view{}}
}

func (s *views) add(v *view) {
	s.all[v] = struct{}{}
	if ids := v.filter.IDs; len(ids) == 1 {
		s.byID[ids[0]] = append(s.byID[ids[0]], v)
		return
	}
	s.selecting[v] = struct{}{}
}

func (s *views) remove(v *view) {
	delete(s.all, v)
	delete(s.selecting, v)
	if ids := v.filter.IDs; len(ids) == 1 {
		others := slices.DeleteFunc(s.byID[ids[0]], func(other *view) bool { return other == v })
		if s.byID[ids[0]] = others; len(others) == 0 {
			delete(s.byID, ids[0])
		}
	}
}

// showing calls visit with each view that shows something of an entry, with some more than once. Its
// cost does not grow with the views whose filter is on another participant.
func (s *views) showing(entry *feed.Entry, visit func(*view)) {
	for v := range s.selecting {
		if slices.ContainsFunc(entry.Changes, v.shows) {
			visit(v)
		}
	}
	if len(s.byID) == 0 {
		return
	}
	for _, change := range entry.Changes {
		for _, v := range s.byID[idOf(change)] {
			if v.shows(change) {
				visit(v)
			}
		}
	}
}

func (v *view) shows(change roster.Change) bool {
	matches := func(p *participant.Participant) bool { return p != nil && v.filter.Match(*p) }
	return matches(change.Before) || matches(change.After)
}

func idOf(change roster.Change) string {
	if change.After != nil {
		return change.After.ID
	}
	return change.Before.ID
}
