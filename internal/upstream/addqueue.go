package upstream

import (
	"cmp"
	"slices"
	"time"
)

// addQueue holds the adds that wait for their turn, fair between conferences: those with
// waiting adds take turns, and within one conference the first to come goes first. It
// belongs to the pacer's lock.
//
// Each waiting add has brought one place. The places are kept in the order of the turns,
// and the waiting adds of a conference use the conference's places in order: when one
// leaves, those behind it move up, and the conference's last place goes. So every
// position is found by binary search, and none of it takes longer the more adds wait.
type addQueue struct {
	conferences map[string]*conferenceQueue
	// places are those of all conferences, in the order of their turns.
	places []place
	// round is the latest round that a conference's next place is in, made the last
	// place's number.
	round, made int64
}

// conferenceQueue is one conference's waiting adds and as many places, each in order. It
// has at least one.
type conferenceQueue struct {
	conference string
	waiting    []*waitingAdd
	places     []place
}

// place is one turn. In each round a conference has one; within a round the first made
// goes first.
type place struct {
	round, number int64
	queue         *conferenceQueue
}

func (p place) compare(other place) int {
	return cmp.Or(cmp.Compare(p.round, other.round), cmp.Compare(p.number, other.number))
}

// waitingAdd is an add that waits for its turn.
type waitingAdd struct {
	queue *conferenceQueue
	// order is the add's among those of its conference.
	order int64
	// deadline is zero where there is none; expires ends the wait then.
	deadline time.Time
	expires  *time.Timer
	// turn gets the one outcome.
	turn chan turn
}

type turn struct {
	departure *departure
	err       error
}

func (q *addQueue) len() int { return len(q.places) }

// enter puts an add at the end of its conference's queue, or at its head where it had a
// turn and needs another.
func (q *addQueue) enter(conference string, add *waitingAdd, again bool) {
	c := q.conference(conference)
	q.addPlace(c)
	add.queue = c
	switch {
	case len(c.waiting) == 0:
		c.waiting = append(c.waiting, add)
	case again:
		add.order = c.waiting[0].order - 1
		c.waiting = slices.Insert(c.waiting, 0, add)
	default:
		add.order = c.waiting[len(c.waiting)-1].order + 1
		c.waiting = append(c.waiting, add)
	}
}

func (q *addQueue) conference(name string) *conferenceQueue {
	if q.conferences == nil {
		q.conferences = make(map[string]*conferenceQueue)
	}
	if q.conferences[name] == nil {
		q.conferences[name] = &conferenceQueue{conference: name}
	}
	return q.conferences[name]
}

// addPlace gives a conference one more place, in the round after its last one. A
// conference without one begins in the latest round, behind the next place of each other.
func (q *addQueue) addPlace(c *conferenceQueue) {
	q.made++
	made := place{round: q.round, number: q.made, queue: c}
	if n := len(c.places); n > 0 {
		made.round = c.places[n-1].round + 1
	}
	c.places = append(c.places, made)
	at, _ := slices.BinarySearchFunc(q.places, made, place.compare)
	q.places = slices.Insert(q.places, at, made)
}

// at returns the add whose turn comes after n others.
func (q *addQueue) at(n int) *waitingAdd {
	p := q.places[n]
	i, _ := slices.BinarySearchFunc(p.queue.places, p, place.compare)
	return p.queue.waiting[i]
}

// position is how many turns come before that of an add; ok is false where it no longer
// waits.
func (q *addQueue) position(add *waitingAdd) (n int, ok bool) {
	i, ok := add.index()
	if !ok {
		return 0, false
	}
	n, _ = slices.BinarySearchFunc(q.places, add.queue.places[i], place.compare)
	return n, true
}

// index is the add's in its conference's queue. Its order may have been given to another
// since it left.
func (add *waitingAdd) index() (i int, ok bool) {
	waiting := add.queue.waiting
	i, ok = slices.BinarySearchFunc(waiting, add.order, func(other *waitingAdd, order int64) int {
		return cmp.Compare(other.order, order)
	})
	return i, ok && waiting[i] == add
}

// next takes out the add whose turn comes first.
func (q *addQueue) next() *waitingAdd {
	c := q.places[0].queue
	add := c.waiting[0]
	q.places = q.places[1:]
	c.places, c.waiting = c.places[1:], c.waiting[1:]
	if len(c.places) > 0 {
		q.round = max(q.round, c.places[0].round)
	}
	q.forgetEmpty(c)
	return add
}

// leave takes an add out before its turn; ok is false where it no longer waits.
func (q *addQueue) leave(add *waitingAdd) (ok bool) {
	i, ok := add.index()
	if !ok {
		return false
	}
	c := add.queue
	c.waiting = slices.Delete(c.waiting, i, i+1)
	last := c.places[len(c.places)-1]
	c.places = c.places[:len(c.places)-1]
	n, _ := slices.BinarySearchFunc(q.places, last, place.compare)
	q.places = slices.Delete(q.places, n, n+1)
	q.forgetEmpty(c)
	return true
}

func (q *addQueue) forgetEmpty(c *conferenceQueue) {
	if len(c.waiting) == 0 {
		delete(q.conferences, c.conference)
	}
}
