package upstream

import (
	"container/list"
	"time"
)

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
	// Lists that are read before they are due (A12).
	earlyNextPage
	earlyFirstPage

	priorities
)

func (p priority) isReconcile() bool { return p <= reconcileFirstPage }

// isUrgent reports whether a request goes before the feeds' ordinary lists.
func (p priority) isUrgent() bool { return p < listNextPage }

func (p priority) isEarly() bool { return p >= earlyNextPage }

// nextPage returns the priority of a list's further pages.
func (p priority) nextPage() priority { return p &^ 1 }

// pollRequest is one poll request that waits for its grant.
type pollRequest struct {
	priority priority
	since    time.Time
	// granted is closed when the request may be sent.
	granted chan struct{}
	element *list.Element
}

// pollQueue holds the waiting requests, first in first out within a priority. The zero value is
// ready.
type pollQueue struct {
	lists   [priorities]list.List
	waiting int
	// lastUrgent is true if the last grant was urgent, lastReconcile if the last urgent
	// grant was for a reconcile list.
	lastUrgent, lastReconcile bool
}

func (q *pollQueue) push(p priority) *pollRequest {
	r := &pollRequest{priority: p, since: time.Now(), granted: make(chan struct{})}
	r.element = q.lists[p].PushBack(r)
	q.waiting++
	return r
}

// remove removes a request if it still waits.
func (q *pollQueue) remove(r *pollRequest) {
	if r.element == nil {
		return
	}
	q.lists[r.priority].Remove(r.element)
	r.element = nil
	q.waiting--
}

// grant removes a request and allows it to be sent.
func (q *pollQueue) grant(r *pollRequest) {
	q.remove(r)
	close(r.granted)
	if r.priority.isEarly() {
		return
	}
	q.lastUrgent = r.priority.isUrgent()
	if q.lastUrgent {
		q.lastReconcile = r.priority.isReconcile()
	}
}

// next returns the request to grant next, or nil. While the account is paused, only reconcile
// lists are granted: they are few, and a phone may be ringing.
//
// Urgent requests alternate with others, and reconcile lists alternate with first lists. Early
// lists are granted only if no other request waits.
func (q *pollQueue) next(paused bool) *pollRequest {
	reconcile := q.firstOf(reconcileNextPage, reconcileFirstPage)
	if paused {
		return reconcile
	}
	firstList, other := q.firstOf(firstListNextPage, firstListFirstPage), q.firstOf(listNextPage, listFirstPage)
	urgent := alternate(reconcile, firstList, q.lastReconcile)
	if due := alternate(urgent, other, q.lastUrgent); due != nil {
		return due
	}
	return q.firstOf(earlyNextPage, earlyFirstPage)
}

// alternate returns the preferred request, or the other one if only that waits or the last
// grant went to a preferred one.
func alternate(preferred, other *pollRequest, lastPreferred bool) *pollRequest {
	if preferred == nil || other != nil && lastPreferred {
		return other
	}
	return preferred
}

// firstOf returns the oldest request of the first priority with a waiting request.
func (q *pollQueue) firstOf(of ...priority) *pollRequest {
	for _, p := range of {
		if front := q.lists[p].Front(); front != nil {
			r, _ := front.Value.(*pollRequest)
			return r
		}
	}
	return nil
}
