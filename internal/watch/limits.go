package watch

import (
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Limits bound what all subscribers together may take.
type Limits struct {
	// Subscribers is how many subscriptions may be open; 0 is no limit.
	Subscribers int
}

// maxFilters is how many different filters the watchers of one feed may use at once
// (W17): each has a view of its own, in which messages are made and encoded anew.
const maxFilters = 64

// isCounted says whether a filter counts among those. One on a single participant does
// not: its view is as small as a participant.
func isCounted(filter participant.Filter) bool { return len(filter.IDs) != 1 }

var errTooManyFilters = &apierror.Error{
	Reason:     apierror.TooManyFilters,
	Message:    "the conference is watched through 64 different filters already; use one of them, or none, or try again later",
	RetryAfter: 5 * time.Second,
}

var errTooManySubscribers = &apierror.Error{
	Reason:     apierror.TooManySubscribers,
	Message:    "too many streams are open; try again later",
	RetryAfter: 5 * time.Second,
}
