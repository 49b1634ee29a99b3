package feed

import (
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/roster"
)

// State is everything that a feed knows at one moment. It never changes, so that any number
// of watchers can read it without a lock.
type State struct {
	// Position is the head of the log.
	Position Position
	// History contains the kept entries with visible changes.
	History []Entry
	// Floor is the sequence number of the newest such entry that is no longer kept.
	Floor uint64
	// Known reports that a list was read. Before that there is no roster.
	Known bool
	// People is the roster at Position.
	People        roster.People
	Total, Active int
	// ObservedAt is when the last list that was applied began, complete or not.
	ObservedAt time.Time
	// LastSuccess is when the last complete list began.
	LastSuccess time.Time
	// FreshAt is LastSuccess by this process' clock. Times of other logs are of their clock (R12).
	FreshAt time.Time
	// Stale reports that the roster may be out of date, and StaleReason why.
	Stale       bool
	StaleReason apierror.Reason
	// PollInterval is the interval in force (W15).
	PollInterval time.Duration
	// Polled reports that this process polls the conference, not another one.
	Polled bool
	// End is set if the feed has ended.
	End *End
	// Turns is the number of changes so far that concern all watchers, whatever they watch: another
	// log, a roster that became known, another freshness, the end.
	Turns uint64

	changed chan struct{}
}

// End is how the upstream's refusal ended a feed. Gone reports that a known conference no
// longer exists, which ends its streams without an error (W11).
type End struct {
	Err  error
	Gone bool
}

// Changed returns a channel that is closed when a later State has something new for
// watchers.
func (s *State) Changed() <-chan struct{} { return s.changed }

// After returns the entries after a position. It returns false if the log does not, or no
// longer, contain them all.
func (s *State) After(p Position) ([]Entry, bool) {
	if p.Epoch != s.Position.Epoch || p.Seq > s.Position.Seq || p.Seq < s.Floor {
		return nil, false
	}
	isLater := func(i int) bool { return s.History[i].Seq > p.Seq }
	// Most watchers have missed one entry at most: the search begins at the newest ones.
	first := len(s.History)
	for step := 1; first > 0 && isLater(first-1); step *= 2 {
		first = max(first-step, 0)
	}
	first += sort.Search(len(s.History)-first, func(i int) bool { return isLater(first + i) })
	return s.History[first:], true
}

// publish replaces the State. If that is a change for watchers, unlock wakes them. f.mu is
// held; it is unlocked before the next publish.
func (f *Feed) publish(people roster.People, changed bool) {
	next := f.State().changed
	if changed {
		f.superseded, next = next, make(chan struct{})
	}
	f.state.Store(f.newState(people, next))
}

// publishTurn publishes a change that concerns all watchers. f.mu is held.
func (f *Feed) publishTurn() {
	f.turns++
	f.publish(f.State().People, true)
}

// unlock unlocks f.mu, and then wakes the watchers of the State that publish has replaced.
func (f *Feed) unlock() {
	superseded := f.superseded
	f.superseded = nil
	f.mu.Unlock()
	if superseded == nil {
		return
	}
	close(superseded)
	for _, changed := range f.notified.all() {
		(*changed)()
	}
}

// Notify has changed called whenever a later State has something new for watchers, until stop is
// called. It must not block. It suits a watcher of several feeds: no goroutine waits for each.
func (f *Feed) Notify(changed func()) (stop func()) {
	f.notified.add(&changed)
	return func() { f.notified.remove(&changed) }
}

// notified are the functions that Notify was given. The zero value is ready.
type notified struct {
	mu sync.Mutex
	// functions is replaced, never changed, so that they are called without the lock.
	functions []*func()
}

func (n *notified) all() []*func() {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.functions
}

func (n *notified) add(function *func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.functions = append(slices.Clone(n.functions), function)
}

func (n *notified) remove(function *func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.functions = slices.DeleteFunc(slices.Clone(n.functions), func(other *func()) bool { return other == function })
}

// newState returns what the feed knows now. f.mu is held.
func (f *Feed) newState(people roster.People, changed chan struct{}) *State {
	now := time.Now()
	f.history.trim(f.now())
	total, active := f.roster.Counts()
	return &State{
		Position:     f.head.Position,
		History:      f.history.entries,
		Floor:        f.history.floor,
		Known:        f.known(),
		People:       people,
		Total:        total,
		Active:       active,
		LastSuccess:  f.freshness.lastSuccess,
		FreshAt:      f.freshness.since,
		ObservedAt:   f.roster.ObservedAt(),
		Stale:        f.freshness.stale,
		StaleReason:  f.freshness.reason,
		PollInterval: f.intervalInForce(now, f.pace()),
		Polled:       f.lease != nil,
		End:          f.end,
		Turns:        f.turns,
		changed:      changed,
	}
}
