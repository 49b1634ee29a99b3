package participant

import "time"

// List is one read of a conference's roster, all its pages.
type List struct {
	// Items are in the upstream's order, each id once.
	Items []Item
	// Pages is how many requests the list took.
	Pages int
	// Read is how many items were read: each id once, and those without an id.
	Read int
	// Total and Active are the smallest the upstream gave; nil where it gave none.
	Total  *int
	Active *int
	// Began is when the first request was sent, Ended when the last answer was read.
	Began, Ended time.Time
}

// Complete says whether the list holds all that the upstream says there is. One
// that does not proves nothing: nobody is removed by it (W7).
func (l List) Complete() bool { return l.Total == nil || *l.Total <= l.Read }
