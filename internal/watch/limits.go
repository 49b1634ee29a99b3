package watch

import (
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Limits bound the subscribers of all conferences together.
type Limits struct {
	// Subscribers bounds the open subscriptions; 0 is no limit.
	Subscribers int
}

// maxFilters bounds the different filters in use on one feed (W17): each has its own view,
// in which messages are made and encoded again.
const maxFilters = 64

// isCounted reports whether a filter counts towards maxFilters. A filter on a single
// participant does not: its view is small.
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
