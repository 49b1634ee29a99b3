package feed

import (
	"sync"
	"sync/atomic"
)

// Bell wakes those who wait for a feed to change. A ring wakes two of them; each,
// once awake, wakes two more. So the one who rings does little however many sleep,
// and they do not all come running at the same moment.
type Bell struct {
	mu sync.Mutex
	// next are those whom the next ring wakes.
	next *round
}

// round is one ring's sleepers. They are fixed once it was rung.
type round struct {
	rung     bool
	sleepers []*Sleeper
	woken    atomic.Int64
}

// fanOut is how many others each who wakes goes on to wake.
const fanOut = 2

// Ring wakes all who are armed.
func (b *Bell) Ring() {
	b.mu.Lock()
	round := b.next
	b.next = nil
	if round != nil {
		round.rung = true
	}
	b.mu.Unlock()
	if round != nil {
		round.wake()
	}
}

func (r *round) wake() {
	for range fanOut {
		i := int(r.woken.Add(1)) - 1
		if i >= len(r.sleepers) {
			return
		}
		r.sleepers[i].awake <- struct{}{}
	}
}

// Sleeper is one who waits for a Bell: Arm, look whether there is anything to do,
// and if not sleep until Awake; then Rise. Whoever has better to do than to sleep
// leaves first: those whose turn comes after this one wait for it.
type Sleeper struct {
	bell  *Bell
	awake chan struct{}
	// round and index say where the sleeper lies; nil when not armed.
	round *round
	index int
}

// Sleeper returns a new one, not armed.
func (b *Bell) Sleeper() *Sleeper {
	return &Sleeper{bell: b, awake: make(chan struct{}, 1)}
}

// Arm makes sure that the next ring wakes this sleeper; false where it was armed
// already.
func (s *Sleeper) Arm() bool {
	if s.round != nil {
		return false
	}
	b := s.bell
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = &round{}
	}
	s.round, s.index = b.next, len(b.next.sleepers)
	b.next.sleepers = append(b.next.sleepers, s)
	return true
}

// Awake gives a value when the bell has rung; Rise must follow.
func (s *Sleeper) Awake() <-chan struct{} { return s.awake }

// Rise wakes those whose turn comes after this one.
func (s *Sleeper) Rise() {
	round := s.round
	s.round = nil
	round.wake()
}

// Leave takes the sleeper out. Where the bell has rung already, it first does its
// part in waking the others.
func (s *Sleeper) Leave() {
	if s.round == nil {
		return
	}
	if s.withdraw() {
		s.round = nil
		return
	}
	<-s.awake
	s.Rise()
}

// withdraw takes the sleeper out of a round that was not rung.
func (s *Sleeper) withdraw() bool {
	b, round := s.bell, s.round
	b.mu.Lock()
	defer b.mu.Unlock()
	if round.rung {
		return false
	}
	last := len(round.sleepers) - 1
	moved := round.sleepers[last]
	round.sleepers[s.index], moved.index = moved, s.index
	round.sleepers[last] = nil
	round.sleepers = round.sleepers[:last]
	return true
}
