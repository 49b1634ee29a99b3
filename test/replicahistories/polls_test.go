package replicahistories_test

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// polls are the lists that replicas read for their feeds.
type polls struct {
	world *world

	mu   sync.Mutex
	all  []*poll
	open map[*poll]bool
}

type poll struct {
	replica *replica
	began   time.Time
	// read reports that the list was read to its end.
	read bool
}

func newPolls(w *world) *polls { return &polls{world: w, open: map[*poll]bool{}} }

// begin records the start of a list. The function returned records its end, and whether it was read.
func (p *polls) begin(r *replica) (end func(read bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	this := &poll{replica: r, began: time.Now()}
	for other := range p.open {
		p.world.fail("R1", p.both(this, other))
	}
	if last := p.last(r.version); last != nil {
		p.world.fail("R1", p.apart(this, last))
		if last.replica != r {
			p.world.seen.add(pollMoved)
		}
	}
	p.world.seen.add(polled)
	p.all = append(p.all, this)
	p.open[this] = true
	return func(read bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, this)
		this.read = read
	}
}

// last returns the last list that replicas of a version began; nil if there is none. p.mu is held.
func (p *polls) last(version int) *poll {
	for _, one := range slices.Backward(p.all) {
		if one.replica.version == version {
			return one
		}
	}
	return nil
}

// leastApart is the least time between the starts of two lists: the base interval, less its jitter
// and what a busy machine may take from it.
const leastApart = pollInterval / 2

// apart fails if a list begins too soon after the last one. A replica that was interrupted, or has
// left its feed, may not have told the next one of its last list.
func (p *polls) apart(this, last *poll) error {
	gap := this.began.Sub(last.began)
	if gap >= leastApart || !last.read || this.replica.gate.stopped() || last.replica.gate.stopped() ||
		p.world.lostLately() || p.world.disturbed(this.began.Add(-lostFor), this.began) {
		return nil
	}
	return fmt.Errorf("%s begins a list %s after %s did", this.replica.name, gap, last.replica.name)
}

// both fails if two lists of one log may not be under way at once.
func (p *polls) both(this, other *poll) error {
	if this.replica.version != other.replica.version || this.replica.gate.stopped() || other.replica.gate.stopped() || p.world.lostLately() {
		return nil
	}
	return fmt.Errorf("%s begins a list while that of %s, begun %s ago, is under way",
		this.replica.name, other.replica.name, time.Since(other.began))
}

// slack is what a busy machine may add to a promised time.
const slack = 1500 * time.Millisecond

// movesWithin waits until another replica than r begins a list, and fails if that takes longer than
// promised.
func (p *polls) movesWithin(r *replica, within time.Duration, promise string) {
	at, w := time.Now(), p.world
	if w.until(within+slack, func() bool { return p.movedSince(r, at) }) {
		w.seen.add(promise)
		return
	}
	w.fail(promise, fmt.Errorf("no other replica began a list within %s", within+slack))
}

func (p *polls) movedSince(r *replica, at time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := p.last(r.version)
	return last != nil && last.replica != r && last.began.After(at) // The poller may have ended before its first list.
}

// reading reports whether a replica has a list under way.
func (p *polls) reading(r *replica) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for one := range p.open {
		if one.replica == r {
			return true
		}
	}
	return false
}
