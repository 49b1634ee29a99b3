package upstream

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

const (
	// pollTimeout is how long a poll's request may take (W10).
	pollTimeout = 5 * time.Second
	// leastWait is the least wait for a turn that the interval in force shows.
	leastWait = 100 * time.Millisecond
	// waitsOver is over how many turns the waits for them are averaged.
	waitsOver = 4
)

// Source reads one conference's lists within its account's poll budget. One goroutine
// calls Turn, List and Settle; any may call Pace and Probe.
type Source struct {
	account    *Account
	conference string
	// class is that of the list whose turn it is.
	class class

	// These belong to the budget's lock. index is the source's place among the sources.
	index int
	// want is how often lists are wanted, takes how long one takes, waits how long one
	// waits for its turn, and pages how many the last one had.
	want, takes, waits time.Duration
	pages              int
	// polledOnce says that a list has begun, hadList that one was read.
	polledOnce, hadList bool
	// succeeded says that the last poll gave a complete list, failed that it did not
	// though the upstream did not refuse the conference.
	succeeded, failed bool
}

// least is the least time from list to list that the source can use.
func (s *Source) least() time.Duration { return max(s.want, s.takes) }

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

// Turn waits until the budget lets the conference's next list begin. The first attempt at
// a feed's first list goes before the others.
func (s *Source) Turn(ctx context.Context, first bool) error {
	s.class = classList
	if first {
		s.class = classFirstList
	}
	since := time.Now()
	if err := s.account.budget.take(ctx, s.class); err != nil {
		return err
	}
	s.account.budget.began(s, since)
	return nil
}

// began notes that a source's list begins, which has waited for its turn since a time.
// Waits while the account was paused do not count, nor do those of first lists.
func (b *budget) began(s *Source, since time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.polledOnce = true
	if s.class == classList {
		waited := max(0, time.Since(latest(since, b.rate.paused)))
		s.waits += (waited - s.waits) / waitsOver
	}
}

// List reads the roster once, all its pages. Turn has let its first request go.
func (s *Source) List(ctx context.Context) (participant.List, error) {
	read, err := s.account.poll(ctx, s.conference, s.class.further())
	if err == nil {
		s.account.budget.read(s, read)
	}
	return read, err
}

// Settle notes what the last poll came to: nil for a complete list. A poll that was cut
// short from here is not settled.
func (s *Source) Settle(err error) { s.account.budget.settle(s, err) }

// Pace is what the account makes of a feed that wants a list every want, and whose lists
// take so long.
func (s *Source) Pace(want, takes time.Duration) Pace {
	return s.account.budget.pace(s, want, takes)
}

// Probe reports whether the source is to poll now, whatever its schedule says: all polls
// of the account fail, its own included, and none was made for a while (W10).
func (s *Source) Probe() bool { return s.account.budget.probe(s) }

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
