package upstream

import (
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Pace is an account's word on one feed's polls.
type Pace struct {
	// Share is the time from list to list that the account's budget leaves the feed: what
	// it wants, or longer where many share the budget (W15). The next list is due so long
	// after the start of the last.
	Share time.Duration
	// Interval is the interval in force: the time now expected between the starts of the
	// feed's lists. It is longer than Share where a list takes longer, or has to wait for
	// its turn.
	Interval time.Duration
	// FailingSince is when the account's polls began to fail, all of them; zero while they
	// do not, or while the feed's own last poll did not fail.
	FailingSince time.Time
	// FailingReason is why the last of them failed.
	FailingReason apierror.Reason
	// Changed is closed when the account's polls begin or cease to fail.
	Changed <-chan struct{}
}
