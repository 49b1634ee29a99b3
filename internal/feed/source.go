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
	// go. The first list of a feed goes before the others.
	Turn(ctx context.Context, first bool) error
	// List reads the roster once, all its pages.
	List(ctx context.Context) (participant.List, error)
	// Pace tells what the account makes of a feed that wants a list every want.
	Pace(want time.Duration) participant.Pace
}
