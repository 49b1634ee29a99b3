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
	// Unread is why a page after the first could not be read: Items are those of the
	// pages before it. Nil where every page was read.
	Unread error
	// Placeholder says that the body held null or {} instead of an array, with no total or
	// one of 0: an empty list, which removes only after a second one (W7).
	Placeholder bool
	// Began is when the first request was sent, Ended when the last answer was read.
	Began, Ended time.Time
}

// Complete says whether every page was read and the list holds all that the upstream
// says there is. A list that is not complete still shows who is there, but removes
// nobody (W7).
func (l List) Complete() bool { return l.Unread == nil && (l.Total == nil || *l.Total <= l.Read) }
