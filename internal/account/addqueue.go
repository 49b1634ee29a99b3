package account

import (
	"slices"
	"time"
)

// addQueue is the adds that wait for their turn, fair between conferences: those with
// waiting adds take turns, and within one who came first goes first. It belongs to the
// pacer's lock.
type addQueue struct {
	// rooms are the conferences with waiting adds, the next to take its turn first.
	rooms []*room
}

// room is one conference's waiting adds, who came first first. It has at least one.
type room struct {
	conference string
	waiting    []*waiter
}

// waiter is an add that waits for its turn.
type waiter struct {
	// deadline is that of its context, which may move.
	deadline func() (time.Time, bool)
	// turn gets the one outcome.
	turn chan turn
}

type turn struct {
	departure *departure
	err       error
}

// enter puts a waiter at the end of its conference's room, or at its head where it had
// a turn and needs another.
func (q *addQueue) enter(conference string, w *waiter, again bool) {
	r := q.room(conference)
	at := len(r.waiting)
	if again {
		at = 0
	}
	r.waiting = slices.Insert(r.waiting, at, w)
}

func (q *addQueue) room(conference string) *room {
	for _, r := range q.rooms {
		if r.conference == conference {
			return r
		}
	}
	r := &room{conference: conference}
	q.rooms = append(q.rooms, r)
	return r
}

// order is the waiters in the order of their turns.
func (q *addQueue) order() []*waiter {
	var order []*waiter
	for round, more := 0, true; more; round++ {
		more = false
		for _, r := range q.rooms {
			if round < len(r.waiting) {
				order = append(order, r.waiting[round])
				more = true
			}
		}
	}
	return order
}

// serve takes out a waiter that has its turn; the others of its room have theirs after
// the other rooms'.
func (q *addQueue) serve(w *waiter) {
	if r := q.leave(w); len(r.waiting) > 0 {
		i := slices.Index(q.rooms, r)
		q.rooms = append(slices.Delete(q.rooms, i, i+1), r)
	}
}

// leave takes a waiter out of its room, and the room away with its last; nil where the
// waiter has left already.
func (q *addQueue) leave(w *waiter) *room {
	for i, r := range q.rooms {
		at := slices.Index(r.waiting, w)
		if at < 0 {
			continue
		}
		r.waiting = slices.Delete(r.waiting, at, at+1)
		if len(r.waiting) == 0 {
			q.rooms = slices.Delete(q.rooms, i, i+1)
		}
		return r
	}
	return nil
}
