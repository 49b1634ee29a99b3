package feed

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Account is the upstream account under which feeds read.
type Account interface {
	// Fingerprint identifies the account's credential.
	Fingerprint() participant.Fingerprint
	// OpenSource returns the source of one conference, which shares the account's poll
	// budget until ctx ends.
	OpenSource(ctx context.Context, conference string) Source
}

// Source reads one conference's lists under one upstream account.
type Source interface {
	Turns

	// List reads the roster once: all its pages, as far as they can be read. The items of the
	// list must not be changed, and the next List overwrites them.
	List(ctx context.Context) (participant.List, error)
	// RecordOutcome records the result of the list: nil for a complete one.
	RecordOutcome(err error)
	// Pace returns how fast the account lets a feed poll that wants a list every want, and
	// whose lists take so long.
	Pace(want, takes time.Duration) Pace
	// Probe reports whether the feed should poll now, whatever its schedule: all polls of
	// the account fail, its own included, and none was made for some time (W10).
	Probe() bool
}

// Turns are the turns that the account's poll budget grants one feed.
type Turns interface {
	// Wait waits until the budget grants the next list (W15). The first attempt of a feed has
	// priority.
	Wait(ctx context.Context, first bool) error
	// WaitEarly waits for a turn that no due list of the account needs (A12). It returns false
	// when the list is due itself, when something is received from stop, or when ctx ends.
	WaitEarly(ctx context.Context, due time.Time, stop <-chan struct{}) bool
}

// Pace is how fast an account lets one feed poll.
type Pace struct {
	// Share is the time between the starts of two lists that the account's budget grants
	// the feed: what it wants, or longer if many feeds share the budget (W15).
	Share time.Duration
	// Interval is the interval in force: the time now expected between the starts of the
	// feed's lists. It is longer than Share if a list takes longer or waits for its turn.
	Interval time.Duration
	// FailingSince is when all polls of the account began to fail; zero if they do not, or
	// if the feed's own last poll did not fail.
	FailingSince time.Time
	// FailingReason is why the last of them failed.
	FailingReason apierror.Reason
	// Changed is closed when the account's polls begin or stop failing.
	Changed <-chan struct{}
}
