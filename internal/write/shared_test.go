package write

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// fakeShared records what a Writer does with its claims, and follows a script.
type fakeShared struct {
	mu sync.Mutex
	// claims and marks are the results of calls in turn; further calls succeed.
	claims []func() (Claimed, error)
	marks  []error
	// settleFails is the error of every Settle.
	settleFails error
	done        []string
}

func (s *fakeShared) Claim(_ context.Context, add SharedAdd) (Claimed, error) {
	s.notef("claim %q", add.Scope)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.claims) == 0 {
		return Claimed{Claim: fakeClaim{s}}, nil
	}
	next := s.claims[0]
	s.claims = s.claims[1:]
	return next()
}

func (s *fakeShared) notef(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, fmt.Sprintf(format, args...))
}

type fakeClaim struct{ shared *fakeShared }

func (c fakeClaim) Mark(context.Context) error {
	c.shared.notef("mark")
	c.shared.mu.Lock()
	defer c.shared.mu.Unlock()
	if len(c.shared.marks) == 0 {
		return nil
	}
	next := c.shared.marks[0]
	c.shared.marks = c.shared.marks[1:]
	return next
}

func (c fakeClaim) Identify(context.Context, []string, func(participant.Add) bool) (string, bool) {
	c.shared.notef("identify")
	return "", false
}

func (c fakeClaim) Settle(_ context.Context, outcome Outcome) (Outcome, error) {
	if outcome.Err != nil {
		c.shared.notef("settle %s", outcome.Err.Reason)
	} else {
		c.shared.notef("settle %s", outcome.Item.ID)
	}
	outcome.AnsweredAt = time.Now()
	return outcome, c.shared.settleFails
}

func (c fakeClaim) Release(context.Context) { c.shared.notef("release") }

const claimed = `claim "6 caller 6 conf_1 r"`

func TestR06_WhatAWriterDoesWithItsClaims(t *testing.T) {
	away := errors.New("away")
	fails := func(err error) func() (Claimed, error) { return func() (Claimed, error) { return Claimed{}, err } }
	full := upstreamError(409, apierror.ConferenceFull)
	for name, test := range map[string]struct {
		shared  *fakeShared
		steps   []step
		reason  apierror.Reason
		dialled apierror.Dialled
		sent    int
		done    []string
	}{
		"success":          {reason: "", sent: 1, done: []string{claimed, "mark", "settle part_1"}},
		"no claim":         {shared: &fakeShared{claims: []func() (Claimed, error){fails(away)}}, reason: apierror.SharedStateUnavailable, dialled: apierror.DialledUnknown, done: []string{claimed}},
		"another add's id": {shared: &fakeShared{claims: []func() (Claimed, error){fails(ErrRequestIDReused)}}, reason: apierror.RequestIDReused, dialled: apierror.DialledNo, done: []string{claimed}},
		"no mark":          {shared: &fakeShared{marks: []error{away}}, reason: apierror.SharedStateUnavailable, dialled: apierror.DialledUnknown, done: []string{claimed, "mark", "release"}},
		"no acknowledgement": {
			shared: &fakeShared{marks: []error{ErrNotAcknowledged}}, reason: apierror.SharedStateUnavailable, dialled: apierror.DialledNo,
			done: []string{claimed, "mark", "settle SHARED_STATE_UNAVAILABLE"},
		},
		"taken over":      {shared: &fakeShared{marks: []error{ErrTakenOver}}, sent: 1, done: []string{claimed, "mark", claimed, "mark", "settle part_1"}},
		"refused":         {steps: []step{{fails: full}}, reason: apierror.ConferenceFull, dialled: apierror.DialledNo, sent: 1, done: []string{claimed, "mark", "settle CONFERENCE_FULL"}},
		"each request":    {steps: []step{{fails: errUnreached}, {dials: true}}, sent: 2, done: []string{claimed, "mark", "mark", "settle part_1"}},
		"lost":            {steps: []step{{fails: errCut}}, reason: apierror.AddOutcomeUnknown, dialled: apierror.DialledUnknown, sent: 1, done: []string{claimed, "mark", "settle ADD_OUTCOME_UNKNOWN"}},
		"panic, unsent":   {steps: []step{{panicsUnsent: true}}, reason: apierror.Internal, dialled: apierror.DialledUnknown, done: []string{claimed, "release"}},
		"panic, sent":     {steps: []step{{panics: true}}, reason: apierror.Internal, dialled: apierror.DialledUnknown, done: []string{claimed, "mark", "settle INTERNAL"}},
		"no turn":         {steps: []step{{unsent: errBreakerOpen}}, reason: apierror.BreakerOpen, dialled: apierror.DialledNo, done: []string{claimed, "settle UPSTREAM_BREAKER_OPEN"}},
		"no turn, away":   {shared: &fakeShared{settleFails: away}, steps: []step{{unsent: errBreakerOpen}}, reason: apierror.BreakerOpen, dialled: apierror.DialledUnknown, done: []string{claimed, "settle UPSTREAM_BREAKER_OPEN", "release"}},
		"refused, away":   {shared: &fakeShared{settleFails: away}, steps: []step{{fails: full}}, reason: apierror.ConferenceFull, dialled: apierror.DialledNo, sent: 1, done: []string{claimed, "mark", "settle CONFERENCE_FULL"}},
		"success, unread": {shared: &fakeShared{settleFails: away}, sent: 1, done: []string{claimed, "mark", "settle part_1"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared := cmp.Or(test.shared, &fakeShared{})
				h := newSharedHarness(shared, test.steps...)
				got := h.add(h.call("r"), alice, 0).wait()
				want(t, got.err, test.reason, test.dialled)
				h.Close()
				if h.upstream.sendings() != test.sent || got.added.Replayed {
					t.Errorf("sent %d times, replayed %v", h.upstream.sendings(), got.added.Replayed)
				}
				if !slices.Equal(shared.done, test.done) {
					t.Errorf("did %q, want %q", shared.done, test.done)
				}
			})
		})
	}
}

func newSharedHarness(shared *fakeShared, steps ...step) *harness {
	h := newHarness(steps...)
	h.shared = shared
	return h
}

// An add in the queue that the process gives up may be sent by another replica.
func TestR06_AnAddThatIsGivenUpIsReleased(t *testing.T) {
	for name, test := range map[string]struct {
		end    func(h *harness, p *pending)
		reason apierror.Reason
	}{
		"cancelled": {func(_ *harness, p *pending) { p.cancel() }, apierror.Cancelled},
		"drain":     {func(h *harness, _ *pending) { h.Abandon() }, apierror.Draining},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared := &fakeShared{}
				h := newSharedHarness(shared, step{wait: time.Minute})
				p := h.add(h.call("r"), alice, 0)
				synctest.Wait()
				test.end(h, p)
				want(t, p.wait().err, test.reason, apierror.DialledUnknown)
				h.Close()
				if done := []string{claimed, "release"}; !slices.Equal(shared.done, done) {
					t.Errorf("did %q, want %q", shared.done, done)
				}
			})
		})
	}
}

// A call that leaves while another replica has the claim did not send.
func TestR06_ACallThatWaitsForAnotherReplicaIsAReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness()
		h.shared = waitingShared{}
		got := h.add(h.call("r"), alice, time.Second).wait()
		want(t, got.err, apierror.DeadlineExceeded, apierror.DialledUnknown)
		if !got.added.Replayed {
			t.Error("is not marked as replayed")
		}
		h.Close()
	})
}

// waitingShared waits for another replica until ctx ends.
type waitingShared struct{}

func (waitingShared) Claim(ctx context.Context, _ SharedAdd) (Claimed, error) {
	<-ctx.Done()
	return Claimed{}, ctx.Err()
}

func TestR06_TheOutcomeOfAnotherReplicaIsAReplayForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(-time.Minute)
		shared := &fakeShared{}
		for range 2 {
			shared.claims = append(shared.claims, func() (Claimed, error) {
				return Claimed{Outcome: &Outcome{Item: person("part_7", alice), AnsweredAt: at}}, nil
			})
		}
		h := newSharedHarness(shared)
		for range 2 {
			got := h.add(h.call("r"), alice, 0).wait()
			want(t, got.err, "", "")
			if !got.added.Replayed || got.added.Participant.ID != "part_7" || !got.added.AnsweredAt.Equal(at) {
				t.Errorf("answered %+v", got.added)
			}
		}
		// The shared state keeps it, not this process.
		if done := []string{claimed, claimed}; !slices.Equal(shared.done, done) || h.upstream.sendings() != 0 {
			t.Errorf("did %q, sent %d times", shared.done, h.upstream.sendings())
		}
		h.Close()
	})
}
