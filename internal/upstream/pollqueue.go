package upstream

import "container/list"

// priority orders poll requests. The next page of a list goes before the first page of
// another, so that feeds take turns by whole lists.
type priority uint8

const (
	// The lists for adds that lost their answer (A1).
	reconcileNextPage priority = iota
	reconcileFirstPage
	// The first attempt at a feed's first list.
	firstListNextPage
	firstListFirstPage
	// All other lists of feeds.
	listNextPage
	listFirstPage

	priorities
)

func (p priority) isReconcile() bool { return p <= reconcileFirstPage }

// isUrgent reports whether a request goes before the feeds' ordinary lists.
func (p priority) isUrgent() bool { return p < listNextPage }

// nextPage returns the priority of a list's further pages.
func (p priority) nextPage() priority { return p &^ 1 }

// request is one poll request that waits for its grant.
type request struct {
	priority priority
	// granted is closed when the request may be sent.
	granted chan struct{}
	element *list.Element
}

// queue holds the waiting requests, first in first out within a priority. The zero queue is
// ready.
type queue struct {
	lists   [priorities]list.List
	waiting int
	// lastUrgent is true if the last grant was urgent, lastReconcile if the last urgent
	// grant was for a reconcile list.
	lastUrgent, lastReconcile bool
}

func (q *queue) push(p priority) *request {
	r := &request{priority: p, granted: make(chan struct{})}
	r.element = q.lists[p].PushBack(r)
	q.waiting++
	return r
}

// remove removes a request if it still waits.
func (q *queue) remove(r *request) {
	if r.element == nil {
		return
	}
	q.lists[r.priority].Remove(r.element)
	r.element = nil
	q.waiting--
}

// grant removes a request and allows it to be sent.
func (q *queue) grant(r *request) {
	q.remove(r)
	q.lastUrgent = r.priority.isUrgent()
	if q.lastUrgent {
		q.lastReconcile = r.priority.isReconcile()
	}
	close(r.granted)
}

// next returns the request to grant next, or nil. While the account is paused, only reconcile
// lists are granted: they are few, and a phone may be ringing.
//
// Urgent requests alternate with others, and reconcile lists alternate with first lists.
func (q *queue) next(paused bool) *request {
	reconcile := q.firstOf(reconcileNextPage, reconcileFirstPage)
	if paused {
		return reconcile
	}
	firstList, other := q.firstOf(firstListNextPage, firstListFirstPage), q.firstOf(listNextPage, listFirstPage)
	urgent := alternate(reconcile, firstList, q.lastReconcile)
	return alternate(urgent, other, q.lastUrgent)
}

// alternate returns the preferred request, or the other one if only that waits or the last
// grant went to a preferred one.
func alternate(preferred, other *request, lastPreferred bool) *request {
	if preferred == nil || other != nil && lastPreferred {
		return other
	}
	return preferred
}

// firstOf returns the oldest request of the first priority with a waiting request.
func (q *queue) firstOf(of ...priority) *request {
	for _, p := range of {
		if front := q.lists[p].Front(); front != nil {
			r, _ := front.Value.(*request)
			return r
		}
	}
	return nil
}
