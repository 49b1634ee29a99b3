package upstream

import (
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Pace is how often a feed may poll, and whether the account's polls fail.
type Pace struct {
	// Share is the time between the starts of two lists: what the feed wants, or longer if
	// many feeds share the account's budget (W15).
	Share time.Duration
	// Interval is the interval in force: the time now expected between the starts of two
	// lists. It is longer than Share if a list takes longer, or waits for its grant.
	Interval time.Duration
	// FailingSince is when all polls of the account began to fail; zero if they do not, or if
	// the feed's own last poll did not fail.
	FailingSince time.Time
	// FailingReason is why the last of them failed.
	FailingReason apierror.Reason
	// Changed is closed when the account's polls begin or stop failing.
	Changed <-chan struct{}
}
