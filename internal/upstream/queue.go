package upstream

import "container/list"

// class is what a poll request is for. A list under way goes before one to begin, so that
// feeds take turns by whole lists.
type class uint8

const (
	// classAddPage and classAddList are of A1's reads.
	classAddPage class = iota
	classAddList
	// classFirstPage and classFirstList are of the first attempt at a feed's first list.
	classFirstPage
	classFirstList
	classPage
	classList

	classes
)

// ofAdd reports whether the request is one of A1's reads.
func (c class) ofAdd() bool { return c <= classAddList }

// urgent reports whether the request goes before others.
func (c class) urgent() bool { return c < classPage }

// further is the class of a list's further pages.
func (c class) further() class { return c &^ 1 }

// request is one poll request that waits to be sent.
type request struct {
	class class
	// granted is closed when it may be sent.
	granted chan struct{}
	place   *list.Element
}

// queue holds the requests that wait, in the order of their coming within a class. The
// zero queue is ready.
type queue struct {
	lists [classes]list.List
	// waiting is how many wait in all.
	waiting int
	// urgent says that the last request granted was an urgent one, ofAdd that the last
	// urgent one was of an add.
	urgent, ofAdd bool
}

func (q *queue) enter(c class) *request {
	r := &request{class: c, granted: make(chan struct{})}
	r.place = q.lists[c].PushBack(r)
	q.waiting++
	return r
}

// leave removes a request, if it still waits.
func (q *queue) leave(r *request) {
	if r.place == nil {
		return
	}
	q.lists[r.class].Remove(r.place)
	r.place = nil
	q.waiting--
}

// grant removes a request because it may be sent.
func (q *queue) grant(r *request) {
	q.leave(r)
	q.urgent = r.class.urgent()
	if q.urgent {
		q.ofAdd = r.class.ofAdd()
	}
	close(r.granted)
}

// front is the request whose turn it is; nil where none may go. While the account is
// paused, only A1's reads may: they are few, and a phone may be ringing.
//
// Urgent requests go first, but take at most every second turn while others wait. A1's
// reads and first lists take turns likewise.
func (q *queue) front(paused bool) *request {
	ofAdd := q.first(classAddPage, classAddList)
	if paused {
		return ofAdd
	}
	first, other := q.first(classFirstPage, classFirstList), q.first(classPage, classList)
	urgent := either(ofAdd, first, q.ofAdd)
	return either(urgent, other, q.urgent)
}

// either is the preferred request, or the other one where that waits alone or it is its
// turn.
func either(preferred, other *request, turnOfOther bool) *request {
	if preferred == nil || other != nil && turnOfOther {
		return other
	}
	return preferred
}

// first is the first request of the first of the classes in which any waits.
func (q *queue) first(of ...class) *request {
	for _, c := range of {
		if front := q.lists[c].Front(); front != nil {
			r, _ := front.Value.(*request)
			return r
		}
	}
	return nil
}
