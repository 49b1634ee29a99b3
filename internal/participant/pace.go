package participant

import "time"

// Pace is an account's word on one feed's polls.
type Pace struct {
	// Interval is the time now expected between the starts of the feed's lists: what
	// the feed wants, or longer where the account's budget is shared by many (W15).
	Interval time.Duration
	// FailingSince is when the account's polls began to fail, all of them; zero
	// while they do not.
	FailingSince time.Time
	// FailingReason is why the last of them failed.
	FailingReason Reason
	// Changed is closed when FailingSince is another.
	Changed <-chan struct{}
}
