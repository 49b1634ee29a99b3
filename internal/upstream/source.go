package upstream

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

const (
	// pollTimeout bounds each request of a poll (W10).
	pollTimeout = 5 * time.Second
	// leastWait is the shortest wait for a grant that Pace.Interval includes.
	leastWait = 100 * time.Millisecond
	// waitsOver is the number of lists over which the wait for a grant is averaged.
	waitsOver = 4
	// maxEarlyWait is how long a later page of an early list waits for a turn that no due list
	// needs. Then it is like the pages of other lists, so that no list goes on for too long.
	maxEarlyWait = time.Second
)

// Source reads one conference's lists within its account's poll budget. One goroutine
// calls Wait, List and RecordOutcome; any may call Pace and Probe.
type Source struct {
	account *Account
	lister  *audian.Lister
	// priority is that of the current list, and due when it is due if it is early.
	priority priority
	due      time.Time

	// The budget's lock guards the following. index is the source's among the sources.
	index int
	// want is the wanted interval between lists, takes how long a list takes, waits how long
	// one waits for its grant, and pages how many the last one had.
	want, takes, waits time.Duration
	pages              int
	// polledOnce is true if a list has begun, hadList if one was read.
	polledOnce, hadList bool
	// succeeded is true if the last poll returned a complete list, failed if it did not and
	// the upstream did not refuse the conference.
	succeeded, failed bool
}

// minInterval is the shortest interval between lists that the source can use.
func (s *Source) minInterval() time.Duration { return max(s.want, s.takes) }

// OpenSource adds the conference's polls to the account's budget until ctx ends.
func (a *Account) OpenSource(ctx context.Context, conference string) *Source {
	s := &Source{account: a, lister: a.client.NewLister(conference), want: assumedWant, pages: 1}
	a.acquire()
	a.budget.open(s)
	context.AfterFunc(ctx, func() {
		a.budget.close(s)
		a.release()
	})
	return s
}

// Wait waits until the budget grants the first request of the conference's next list. The
// first attempt at a feed's first list goes before others.
func (s *Source) Wait(ctx context.Context, first bool) error {
	s.priority = listFirstPage
	if first {
		s.priority = firstListFirstPage
	}
	since := time.Now()
	if err := s.account.budget.take(ctx, s.priority); err != nil {
		return err
	}
	s.account.budget.recordStart(s, since)
	return nil
}

// WaitEarly waits until the budget has a turn for the next list that no due list needs (A12). It
// returns false when the list is due itself, when something is received from stop, or when ctx
// ends.
func (s *Source) WaitEarly(ctx context.Context, due time.Time, stop <-chan struct{}) bool {
	if !s.account.budget.takeEarly(ctx, earlyFirstPage, due, stop) {
		return false
	}
	s.priority, s.due = earlyFirstPage, due
	s.account.budget.recordStart(s, time.Now())
	return true
}

// recordStart notes that a source's list begins, which has waited since a time for its grant.
// Waits while the account was paused do not count, nor do those of first lists.
func (b *budget) recordStart(s *Source, since time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.polledOnce = true
	if s.priority == listFirstPage {
		waited := max(0, time.Since(latest(since, b.rate.paused)))
		s.waits += (waited - s.waits) / waitsOver
	}
}

// List reads all pages of the conference's list once. Wait has granted its first request. The
// items of the list must not be changed, and the next List overwrites them.
func (s *Source) List(ctx context.Context) (participant.List, error) {
	read, err := s.lister.List(ctx, pollPacing(s.takeNextPage))
	s.account.recordPoll(read, err)
	if err == nil {
		s.account.budget.recordList(s, read)
	}
	return read, err
}

// takeNextPage waits until the budget grants the next page of the current list.
func (s *Source) takeNextPage(ctx context.Context) error {
	if s.priority.isEarly() {
		until := time.Now().Add(min(time.Until(s.due), maxEarlyWait))
		if s.account.budget.takeEarly(ctx, earlyNextPage, until, nil) {
			return nil
		}
		s.priority = listFirstPage
	}
	return s.account.budget.take(ctx, s.priority.nextPage())
}

// RecordOutcome records the result of the last poll: nil for a complete list. It is not called for a
// poll that the gateway cancelled.
func (s *Source) RecordOutcome(err error) { s.account.budget.recordOutcome(s, err) }

// Pace returns the pace of a feed that wants a list every want, and whose lists take takes.
func (s *Source) Pace(want, takes time.Duration) Pace {
	return s.account.budget.pace(s, want, takes)
}

// Probe reports whether the source should poll now, regardless of its schedule: all polls of
// the account fail, its own too, and the last was long ago (W10).
func (s *Source) Probe() bool { return s.account.budget.probe(s) }

// poll reads a list. The budget grants each further page.
func (a *Account) poll(ctx context.Context, conference string, next priority) (participant.List, error) {
	read, err := a.client.List(ctx, conference, pollPacing(func(ctx context.Context) error { return a.budget.take(ctx, next) }))
	a.recordPoll(read, err)
	return read, err
}

// pollPacing bounds the requests of a poll. next waits for the grant of each further page.
func pollPacing(next func(context.Context) error) audian.Pacing {
	return audian.Pacing{Next: next, Timeout: pollTimeout}
}

// recordPoll records what the result of a poll shows about the credential.
func (a *Account) recordPoll(read participant.List, err error) {
	_, failed := allPages(read, err)
	a.credential.recordOutcome(failed)
}
