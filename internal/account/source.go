package account

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/audian"
	"github.com/audian/participant-gateway/internal/participant"
)

// pollTimeout is how long a poll's request may take (W10).
const pollTimeout = 5 * time.Second

// Source reads one conference's lists within its account's poll budget. One goroutine
// calls Turn and List; any may call Pace.
type Source struct {
	account    *Account
	conference string
	// first says that the list whose turn it is goes before the others.
	first bool

	// These belong to the budget's lock: how often lists are wanted, and how many pages
	// the last one had.
	want  time.Duration
	pages int
}

// OpenSource takes the conference's polls into the account's budget until ctx ends.
func (a *Account) OpenSource(ctx context.Context, conference string) *Source {
	s := &Source{account: a, conference: conference, want: assumedWant, pages: 1}
	a.uses.Add(1)
	a.budget.open(s)
	context.AfterFunc(ctx, func() {
		a.budget.close(s)
		a.done()
	})
	return s
}

// Turn waits until the budget lets the conference's next list begin. The first list of
// a feed goes before the others.
func (s *Source) Turn(ctx context.Context, first bool) error {
	s.first = first
	c := classList
	if first {
		c = classUrgentList
	}
	return s.account.budget.take(ctx, c)
}

// List reads the roster once, all its pages. Turn has let its first request go.
func (s *Source) List(ctx context.Context) (participant.List, error) {
	c := classPage
	if s.first {
		c = classUrgentPage
	}
	read, err := s.account.poll(ctx, s.conference, c)
	s.account.budget.polled(ctx, s, read, err)
	return read, err
}

// Pace tells what the account makes of a feed that wants a list every want.
func (s *Source) Pace(want time.Duration) participant.Pace {
	return s.account.budget.pace(s, want)
}

// poll reads a list, each further page within the budget.
func (a *Account) poll(ctx context.Context, conference string, further class) (participant.List, error) {
	read, err := a.client.List(ctx, conference, audian.Pacing{
		Next:    func(ctx context.Context) error { return a.budget.take(ctx, further) },
		Timeout: pollTimeout,
	})
	_, failed := allPages(read, err)
	a.health.settled(failed)
	return read, err
}
