package feed

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Account is what a feed needs of the upstream account it reads under.
type Account interface {
	// Fingerprint stands for the account's credential.
	Fingerprint() participant.Fingerprint
	// OpenSource takes the conference's polls into the account's budget until ctx ends.
	OpenSource(ctx context.Context, conference string) Source
}

// Source reads one conference's lists under one upstream account.
type Source interface {
	// Turn waits until the account's poll budget (W15) lets this feed's next list
	// go. The first attempt at a feed's first list goes before the others.
	Turn(ctx context.Context, first bool) error
	// List reads the roster once, all its pages as far as they can be read.
	List(ctx context.Context) (participant.List, error)
	// Settle notes what the list came to: nil for a complete one.
	Settle(err error)
	// Pace is what the account makes of a feed that wants a list every want, and whose
	// lists take so long.
	Pace(want, takes time.Duration) Pace
	// Probe reports whether the feed is to poll now, whatever its schedule says: all polls
	// of the account fail, its own included, and none was made for a while (W10).
	Probe() bool
}
