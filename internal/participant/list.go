package participant

import "time"

// List is the result of one read of a conference's roster, all its pages.
type List struct {
	// Items are in the upstream's order. Each id occurs once.
	Items []Item
	// Pages is the number of requests that the list took.
	Pages int
	// Read is the number of items read: each id once, plus the items without an id.
	Read int
	// Total and Active are the smallest values on any page; nil where the upstream gave none.
	Total  *int
	Active *int
	// PageErr is why a page after the first could not be read; Items are then those of the
	// pages before it. It is nil if every page was read.
	PageErr error
	// Placeholder reports that the body contained null or {} instead of an array, with no
	// total or a total of 0: an empty list that removes only after a second one (W7).
	Placeholder bool
	// Began is when the first request was sent, and Ended when the last response was read.
	Began, Ended time.Time
}

// Complete reports whether every page was read and the list contains as many items as the
// upstream's total. An incomplete list proves who is present, but removes nobody (W7).
func (l List) Complete() bool { return l.PageErr == nil && (l.Total == nil || *l.Total <= l.Read) }
