package watch

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Limits bound what all subscribers together may take.
type Limits struct {
	// Subscribers is how many subscriptions may be open; 0 is no limit.
	Subscribers int
}

// maxFilters is through how many different filters one feed may be watched: each has a
// view of its own, in which messages are made and encoded anew.
const maxFilters = 64

var errTooManyFilters = &participant.Error{
	Reason:  participant.TooManyFilters,
	Message: "the conference is watched through 64 different filters already; use one of them, or none",
}

var errTooManySubscribers = &participant.Error{
	Reason:     participant.TooManySubscribers,
	Message:    "too many streams are open; try again later",
	RetryAfter: 5 * time.Second,
}
