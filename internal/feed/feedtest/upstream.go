// Package feedtest provides a fake upstream account for tests, with one conference that the
// test controls.
package feedtest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

// Upstream is an account that returns the same conference for every id.
type Upstream struct {
	mu      sync.Mutex
	people  map[string]participant.Participant
	failing error
	latency time.Duration
	pages   int
	slower  time.Duration
	alter   func(*participant.List)
	pace    feed.Pace
	changed chan struct{}
	starts  []time.Time
	firsts  []bool
	early   chan struct{}
	probe   bool
	settled error
	opened  []context.Context
}

var _ feed.Account = (*Upstream)(nil)

// closed is the channel of turns that are always free.
var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// New returns an upstream with an empty conference.
func New() *Upstream {
	return &Upstream{people: map[string]participant.Participant{}, pages: 1, changed: make(chan struct{}), early: closed}
}

// Set lists a participant with a status.
func (u *Upstream) Set(id string, status participant.Status) {
	u.mu.Lock()
	defer u.mu.Unlock()
	p := u.people[id]
	p.ID, p.Status = id, status
	u.people[id] = p
}

// SetRole changes the role of a participant.
func (u *Upstream) SetRole(id string, role participant.Role) {
	u.mu.Lock()
	defer u.mu.Unlock()
	p := u.people[id]
	p.Role = role
	u.people[id] = p
}

// Remove removes a participant from later lists.
func (u *Upstream) Remove(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.people, id)
}

// Listed returns the ids that lists contain, sorted.
func (u *Upstream) Listed() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Sorted(maps.Keys(u.people))
}

// Fail makes lists fail with an error; nil makes them succeed.
func (u *Upstream) Fail(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.failing = err
}

// Alter calls a function with each list before a feed gets it; nil calls none.
func (u *Upstream) Alter(alter func(*participant.List)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.alter = alter
}

// Slow sets the latency of lists.
func (u *Upstream) Slow(latency time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.latency = latency
}

// Share sets the shortest interval that the account grants its feeds.
func (u *Upstream) Share(interval time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.slower = interval
}

// FailAccount reports that all polls of the account fail since a time; the zero time reports
// that they do not.
func (u *Upstream) FailAccount(since time.Time, reason apierror.Reason) {
	u.mu.Lock()
	defer u.mu.Unlock()
	close(u.changed)
	u.changed = make(chan struct{})
	u.pace = feed.Pace{FailingSince: since, FailingReason: reason}
}

// OfferProbe makes the account ask for one probe.
func (u *Upstream) OfferProbe() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.probe = true
}

// HoldEarly leaves no turn for early lists until the test calls release.
func (u *Upstream) HoldEarly() (release func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	held := make(chan struct{})
	u.early = held
	return func() { close(held) }
}

// FirstAttempts returns for each list whether it was a first attempt.
func (u *Upstream) FirstAttempts() []bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.firsts)
}

// Settled returns the result of the last list.
func (u *Upstream) Settled() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.settled
}

// Sources returns how many sources were opened, and how many of them are still open.
func (u *Upstream) Sources() (opened, open int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, ctx := range u.opened {
		if ctx.Err() == nil {
			open++
		}
	}
	return len(u.opened), open
}

// Starts returns when lists began.
func (u *Upstream) Starts() []time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.starts)
}

// Fingerprint returns a constant.
func (u *Upstream) Fingerprint() participant.Fingerprint { return participant.Fingerprint{1} }

// OpenSource returns a source of the one conference.
func (u *Upstream) OpenSource(ctx context.Context, conference string) feed.Source {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.opened = append(u.opened, ctx)
	return source{upstream: u, conference: conference}
}

type source struct {
	upstream   *Upstream
	conference string
}

func (s source) Wait(ctx context.Context, first bool) error {
	s.upstream.mu.Lock()
	defer s.upstream.mu.Unlock()
	s.upstream.firsts = append(s.upstream.firsts, first)
	return ctx.Err()
}

func (s source) WaitEarly(ctx context.Context, due time.Time, stop <-chan struct{}) bool {
	s.upstream.mu.Lock()
	early := s.upstream.early
	s.upstream.mu.Unlock()
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-early:
		return true
	case <-stop:
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (s source) RecordOutcome(err error) {
	s.upstream.mu.Lock()
	defer s.upstream.mu.Unlock()
	s.upstream.settled = err
}

func (s source) Probe() bool {
	s.upstream.mu.Lock()
	defer s.upstream.mu.Unlock()
	offered := s.upstream.probe
	s.upstream.probe = false
	return offered
}

func (s source) Pace(want, takes time.Duration) feed.Pace {
	s.upstream.mu.Lock()
	defer s.upstream.mu.Unlock()
	pace := s.upstream.pace
	pace.Share = max(want, s.upstream.slower)
	pace.Interval, pace.Changed = max(pace.Share, takes), s.upstream.changed
	return pace
}

// List reads the conference when it is called, and returns after the latency.
func (s source) List(ctx context.Context) (participant.List, error) {
	list, latency := s.upstream.read(s.conference)
	if latency > 0 {
		select {
		case <-time.After(latency):
		case <-ctx.Done():
			return participant.List{}, ctx.Err()
		}
	}
	list.Ended = time.Now()
	return list, s.upstream.err()
}

func (u *Upstream) err() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.failing
}

func (u *Upstream) read(conference string) (participant.List, time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	u.starts = append(u.starts, now)
	list := participant.List{Pages: u.pages, Read: len(u.people), Began: now}
	for _, p := range slices.SortedFunc(maps.Values(u.people), byID) {
		p.ConferenceID = conference
		list.Items = append(list.Items, participant.Item{Participant: p, Fields: participant.AllFields})
	}
	if u.alter != nil {
		u.alter(&list)
	}
	return list, u.latency
}

func byID(a, b participant.Participant) int { return strings.Compare(a.ID, b.ID) }

// Refusal returns a vendor-shaped error with a status.
func Refusal(status int, reason apierror.Reason) error {
	return &apierror.Error{Reason: reason, Message: "refused", UpstreamStatus: status, FromUpstream: true}
}

// Outage returns an error that is not vendor-shaped.
func Outage(reason apierror.Reason) error {
	return &apierror.Error{Reason: reason, Message: "outage", UpstreamStatus: 503}
}
