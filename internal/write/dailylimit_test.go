package write

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// fakeLimit counts in memory, and records what a Writer does with it.
type fakeLimit struct {
	mu    sync.Mutex
	limit int
	count int
	did   []string
	// fails is the error of every Count.
	fails error
}

var errLimit = &apierror.Error{Reason: apierror.DailyLimit, Dialled: apierror.DialledNo, RetryAfter: 5 * time.Hour}

func (l *fakeLimit) Check(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count >= l.limit {
		return errLimit
	}
	return nil
}

func (l *fakeLimit) Count(ctx context.Context) (giveBack func(), err error) {
	if l.fails != nil {
		return nil, l.fails
	}
	if err := l.Check(ctx); err != nil {
		return nil, err
	}
	l.change(1, "count")
	return func() { l.change(-1, "give back") }, nil
}

func (l *fakeLimit) change(by int, what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count += by
	l.did = append(l.did, what)
}

func (l *fakeLimit) counted() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

func (h *harness) limitedCall(requestID string, limit *fakeLimit) Call {
	call := h.call(requestID)
	call.DailyLimit = limit
	return call
}

// What is left counted must be what may have dialled.
func TestA14_AnAddCountsUnlessItSurelyDidNotDial(t *testing.T) {
	ok := step{dials: true}
	count, back := []string{"count"}, []string{"count", "give back"}
	for name, test := range map[string]struct {
		steps   []step
		reason  apierror.Reason
		dialled apierror.Dialled
		did     []string
	}{
		"success":               {[]step{ok}, "", "", count},
		"full":                  {[]step{{fails: upstreamError(409, apierror.ConferenceFull)}}, apierror.ConferenceFull, apierror.DialledNo, back},
		"bad request":           {[]step{{fails: upstreamError(400, apierror.UpstreamBadRequest)}}, apierror.UpstreamBadRequest, apierror.DialledNo, back},
		"not found":             {[]step{{fails: upstreamError(404, apierror.ConferenceNotFound)}}, apierror.ConferenceNotFound, apierror.DialledNo, back},
		"unauthenticated":       {[]step{{fails: upstreamError(401, apierror.CredentialRefused)}}, apierror.CredentialRefused, apierror.DialledNo, back},
		"407 of a proxy":        {[]step{{fails: proxyError(407)}}, apierror.UpstreamUnavailable, apierror.DialledNo, back},
		"no credential":         {[]step{{fails: errNoCredential}}, apierror.CredentialRefused, apierror.DialledNo, back},
		"breaker open on send":  {[]step{{fails: errBreakerOpen}}, apierror.BreakerOpen, apierror.DialledNo, back},
		"breaker open":          {[]step{{unsent: errBreakerOpen}}, apierror.BreakerOpen, apierror.DialledNo, nil},
		"unreached":             {[]step{{fails: errUnreached}, ok}, "", "", []string{"count", "give back", "count"}},
		"unreached for ever":    {[]step{{fails: errUnreached}}, apierror.UpstreamUnreachable, apierror.DialledNo, slices.Concat(back, back, back, back)},
		"throttled, then ok":    {[]step{{fails: errThrottled}, ok}, "", "", []string{"count", "give back", "count"}},
		"throttled, then lost":  {[]step{{fails: errThrottled}, {fails: errCut}}, apierror.AddOutcomeUnknown, apierror.DialledUnknown, []string{"count", "give back", "count"}},
		"throttled for long":    {[]step{{fails: throttledFor(time.Minute)}}, apierror.UpstreamRateLimited, apierror.DialledNo, back},
		"lost":                  {[]step{{fails: errCut}}, apierror.AddOutcomeUnknown, apierror.DialledUnknown, count},
		"lost, then found":      {[]step{{dials: true, fails: errCut}}, "", "", count},
		"503":                   {[]step{{fails: upstreamError(503, apierror.UpstreamUnavailable)}}, apierror.AddOutcomeUnknown, apierror.DialledUnknown, count},
		"408":                   {[]step{{fails: upstreamError(408, apierror.UpstreamTimeout)}}, apierror.AddOutcomeUnknown, apierror.DialledUnknown, count},
		"an error of no kind":   {[]step{{fails: errors.New("failed")}}, apierror.AddOutcomeUnknown, apierror.DialledUnknown, count},
		"a panic while sending": {[]step{{panics: true}}, apierror.Internal, apierror.DialledUnknown, count},
		"no turn in time":       {[]step{{wait: time.Hour}}, apierror.AddRateLimited, apierror.DialledNo, nil},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(test.steps...), func(t *testing.T, h *harness) {
				limit := &fakeLimit{limit: 1}
				got := h.add(h.limitedCall("", limit), alice, time.Minute).wait()
				want(t, got.err, test.reason, test.dialled)
				if !slices.Equal(limit.did, test.did) {
					t.Errorf("did %q, want %q", limit.did, test.did)
				}
			})
		})
	}
}

func TestA14_AnAddBeyondTheLimitIsNotSentAndNotTriedAgain(t *testing.T) {
	virtual(t, script(step{dials: true}), func(t *testing.T, h *harness) {
		limit := &fakeLimit{limit: 1}
		want(t, h.add(h.limitedCall("", limit), alice, 0).wait().err, "", "")
		for _, id := range []string{"", "r"} {
			got := h.add(h.limitedCall(id, limit), alice, 0).wait()
			want(t, got.err, apierror.DailyLimit, apierror.DialledNo)
			if got.at != 0 || apierror.RetryAfterOf(got.err) != errLimit.RetryAfter {
				t.Errorf("after %v: %v, try again after %v", got.at, got.err, apierror.RetryAfterOf(got.err))
			}
		}
		if h.upstream.sendings() != 1 || len(h.upstream.retries) != 1 {
			t.Errorf("sent %d times, in the queue %d times", h.upstream.sendings(), len(h.upstream.retries))
		}
		// The refusal is not remembered: the next day the same request id is sent.
		limit.limit = 2
		want(t, h.add(h.limitedCall("r", limit), alice, 0).wait().err, "", "")
	})
}

// Adds that wait for their turn do not count, so that the limit is checked once more after it.
func TestA14_AnAddCountsWhenItIsSent(t *testing.T) {
	virtual(t, script(step{dials: true, wait: time.Minute}, step{dials: true}), func(t *testing.T, h *harness) {
		limit := &fakeLimit{limit: 1}
		waits := h.add(h.limitedCall("", limit), alice, 0)
		synctest.Wait()
		if limit.counted() != 0 {
			t.Error("an add in the queue counts")
		}
		want(t, h.add(h.limitedCall("", limit), alice, 0).wait().err, "", "")
		got := waits.wait()
		want(t, got.err, apierror.DailyLimit, apierror.DialledNo)
		if h.upstream.sendings() != 1 || limit.counted() != 1 {
			t.Errorf("sent %d, counted %d", h.upstream.sendings(), limit.counted())
		}
	})
}

func TestA14_AReplayDoesNotCount(t *testing.T) {
	for name, first := range map[string]step{"success": {dials: true, takes: time.Second}, "unknown": {fails: errCut}} {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(first), func(t *testing.T, h *harness) {
				limit := &fakeLimit{limit: 1}
				calls := []*pending{h.add(h.limitedCall("r", limit), alice, 0), h.add(h.limitedCall("r", limit), alice, 0)}
				results := []result{calls[0].wait(), calls[1].wait(), h.add(h.limitedCall("r", limit), alice, 0).wait()}
				for _, got := range results {
					if apierror.ReasonOf(got.err) != apierror.ReasonOf(results[0].err) || got.added.Participant.ID != results[0].added.Participant.ID {
						t.Errorf("got %+v, want %+v", got, results[0])
					}
				}
				if !slices.Equal(limit.did, []string{"count"}) {
					t.Errorf("did %q", limit.did)
				}
			})
		})
	}
}

// A caller that leaves after its add was sent does not change what the upstream answers.
func TestA14_TheCallersEndChangesNoCount(t *testing.T) {
	for name, test := range map[string]struct {
		answer step
		count  int
	}{
		"dialled": {step{dials: true, takes: time.Minute}, 1},
		"refused": {step{takes: time.Minute, fails: upstreamError(409, apierror.ConferenceFull)}, 0},
		"queued":  {step{wait: time.Minute}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(test.answer), func(t *testing.T, h *harness) {
				limit := &fakeLimit{limit: 1}
				h.add(h.limitedCall("", limit), alice, time.Second).wait()
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				if limit.counted() != test.count {
					t.Errorf("%d are counted, want %d", limit.counted(), test.count)
				}
			})
		})
	}
}

// On replicas an add counts before its claim is marked, so that no marked claim is refused for the
// limit; without a mark it is not sent.
func TestA14_OnReplicasAnAddThatIsNotMarkedIsGivenBack(t *testing.T) {
	away := errors.New("away")
	counterAway := &apierror.Error{Reason: apierror.SharedStateUnavailable, Dialled: apierror.DialledNo, RetryAfter: time.Second}
	for name, test := range map[string]struct {
		shared    *fakeShared
		limit     *fakeLimit
		requestID string
		reason    apierror.Reason
		dialled   apierror.Dialled
		did       []string
		claims    []string
	}{
		"marked": {
			shared: &fakeShared{}, limit: &fakeLimit{limit: 1}, requestID: "r", did: []string{"count"},
			claims: []string{claimed, "mark", "settle part_1"},
		},
		"no mark": {
			shared: &fakeShared{marks: []error{away}}, limit: &fakeLimit{limit: 1}, requestID: "r",
			reason: apierror.SharedStateUnavailable, dialled: apierror.DialledUnknown, did: []string{"count", "give back"},
			claims: []string{claimed, "mark", "release"},
		},
		"taken over": {
			shared: &fakeShared{marks: []error{ErrTakenOver}}, limit: &fakeLimit{limit: 1}, requestID: "r",
			did: []string{"count", "give back", "count"}, claims: []string{claimed, "mark", claimed, "mark", "settle part_1"},
		},
		"beyond the limit": {
			shared: &fakeShared{}, limit: &fakeLimit{}, requestID: "r", reason: apierror.DailyLimit, dialled: apierror.DialledNo,
			claims: []string{claimed, "settle DAILY_LIMIT"},
		},
		"the counter is away": {
			shared: &fakeShared{settleFails: away}, limit: &fakeLimit{limit: 1, fails: counterAway}, requestID: "r",
			reason: apierror.SharedStateUnavailable, dialled: apierror.DialledUnknown,
			claims: []string{claimed, "settle SHARED_STATE_UNAVAILABLE", "release"},
		},
		"the counter is away, no request id": {
			shared: &fakeShared{settleFails: away}, limit: &fakeLimit{limit: 1, fails: counterAway},
			reason: apierror.SharedStateUnavailable, dialled: apierror.DialledNo,
			claims: []string{`claim ""`, "settle SHARED_STATE_UNAVAILABLE"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newSharedHarness(test.shared)
				got := h.add(h.limitedCall(test.requestID, test.limit), alice, 0).wait()
				want(t, got.err, test.reason, test.dialled)
				h.Close()
				if !slices.Equal(test.limit.did, test.did) || !slices.Equal(test.shared.done, test.claims) {
					t.Errorf("did %q and %q, want %q and %q", test.limit.did, test.shared.done, test.did, test.claims)
				}
			})
		})
	}
}
