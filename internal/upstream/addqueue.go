package upstream

import (
	"cmp"
	"slices"
	"time"
)

// addQueue holds the adds that wait for their grant. It is fair between conferences: they
// alternate, and within one conference the first in is the first out. Here, a batch is a
// conference of its own (A9). The pacer's lock guards the queue.
//
// There is one place for each queued add. The places are in the order of the grants, and the
// adds of a conference use the conference's places in order: when one is removed, the adds
// behind it move up, and the conference's last place is removed. So binary search finds every
// position.
type addQueue struct {
	conferences map[queueName]*conferenceQueue
	// places are those of all conferences, in the order of their grants.
	places []place
	// round is the latest round of a conference's next place, made the number of the last
	// place.
	round, made int64
}

// conferenceQueue holds one conference's queued adds and as many places, in order. It has at
// least one.
type conferenceQueue struct {
	name    queueName
	waiting []*queuedAdd
	places  []place
}

// queueName names the queue of a conference; batch is empty, or the batch that has a queue of its
// own.
type queueName struct {
	conference, batch string
}

// place is one future grant. In each round a conference has one; within a round the first
// place made is the first granted.
type place struct {
	round, number int64
	queue         *conferenceQueue
}

func (p place) compare(other place) int {
	return cmp.Or(cmp.Compare(p.round, other.round), cmp.Compare(p.number, other.number))
}

// queuedAdd is an add that waits for its grant.
type queuedAdd struct {
	queue *conferenceQueue
	// order is the position among the adds of its conference.
	order int64
	// deadline is zero if there is none; expires ends the wait then.
	deadline time.Time
	expires  *time.Timer
	// result receives the one result.
	result chan grantResult
}

type grantResult struct {
	grant *grant
	err   error
}

func (q *addQueue) len() int { return len(q.places) }

// push puts an add at the end of its conference's queue, or at its head if it is sent again.
func (q *addQueue) push(name queueName, add *queuedAdd, again bool) {
	c := q.conference(name)
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

func (q *addQueue) conference(name queueName) *conferenceQueue {
	if q.conferences == nil {
		q.conferences = make(map[queueName]*conferenceQueue)
	}
	if q.conferences[name] == nil {
		q.conferences[name] = &conferenceQueue{name: name}
	}
	return q.conferences[name]
}

// addPlace adds a place for a conference, in the round after its last one. The first place of
// a conference is in the latest round, behind the next place of each other conference.
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

// at returns the add that is granted after n others.
func (q *addQueue) at(n int) *queuedAdd {
	p := q.places[n]
	i, _ := slices.BinarySearchFunc(p.queue.places, p, place.compare)
	return p.queue.waiting[i]
}

// position returns how many grants come before that of an add; ok is false if it is not
// queued.
func (q *addQueue) position(add *queuedAdd) (n int, ok bool) {
	i, ok := add.index()
	if !ok {
		return 0, false
	}
	n, _ = slices.BinarySearchFunc(q.places, add.queue.places[i], place.compare)
	return n, true
}

// index returns the add's index in its conference's queue. After it was removed, another add
// may have its order.
func (add *queuedAdd) index() (i int, ok bool) {
	waiting := add.queue.waiting
	i, ok = slices.BinarySearchFunc(waiting, add.order, func(other *queuedAdd, order int64) int {
		return cmp.Compare(other.order, order)
	})
	return i, ok && waiting[i] == add
}

// pop removes the add that is granted next.
func (q *addQueue) pop() *queuedAdd {
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

// remove removes an add before its grant; ok is false if it is not queued.
func (q *addQueue) remove(add *queuedAdd) (ok bool) {
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
		delete(q.conferences, c.name)
	}
}
