package write

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
)

func TestA01_AnAnsweredAddIsRecordedOnce(t *testing.T) {
	virtual(t, script(step{dials: true, takes: time.Second}), func(t *testing.T, h *harness) {
		added, err := h.Add(t.Context(), h.call(""), alice)
		want(t, err, "", "")
		if added.Participant.ID != "part_1" || added.Replayed {
			t.Errorf("added %+v", added)
		}
		if got := h.recorder.written(); len(got) != 1 || got[0] != "part_1" {
			t.Errorf("recorded %v", got)
		}
	})
}

func TestA01_OnlyAnAddThatCertainlyDidNotArriveIsSentAgain(t *testing.T) {
	ok := step{dials: true}
	tests := map[string]struct {
		steps   []step
		reason  apierror.Reason
		dialled apierror.Dialled
		sent    int
	}{
		"unreached, then answered": {[]step{{fails: errUnreached}, ok}, "", "", 2},
		"unreached for ever":       {[]step{{fails: errUnreached}}, apierror.UpstreamUnreachable, apierror.DialledNo, 4},
		"bad request":              {[]step{{fails: upstreamError(400, apierror.UpstreamBadRequest)}}, apierror.UpstreamBadRequest, apierror.DialledNo, 1},
		"exchange refused":         {[]step{{fails: errNoCredential}}, apierror.CredentialRefused, apierror.DialledNo, 1},
		"unauthenticated":          {[]step{{fails: upstreamError(401, apierror.CredentialRefused)}}, apierror.CredentialRefused, apierror.DialledNo, 1},
		"payment required":         {[]step{{fails: upstreamError(402, apierror.PaymentRequired)}}, apierror.PaymentRequired, apierror.DialledNo, 1},
		"full":                     {[]step{{fails: upstreamError(409, apierror.ConferenceFull)}}, apierror.ConferenceFull, apierror.DialledNo, 1},
		"any other 4xx":            {[]step{{fails: upstreamError(418, apierror.UpstreamRefused)}}, apierror.UpstreamRefused, apierror.DialledNo, 1},
		"error in a 200":           {[]step{{fails: upstreamError(200, apierror.UpstreamUnavailable)}}, apierror.AddOutcomeUnknown, apierror.DialledUnknown, 1},
		"401 of a proxy":           {[]step{{fails: proxyError(401)}}, apierror.UpstreamUnavailable, apierror.DialledNo, 1},
		"429 of a proxy":           {[]step{{fails: proxyError(429)}, ok}, "", "", 2},
		"407 of a proxy":           {[]step{{fails: proxyError(407)}}, apierror.UpstreamUnavailable, apierror.DialledNo, 1},
		"breaker open":             {[]step{{unsent: &apierror.Error{Reason: apierror.BreakerOpen}}}, apierror.BreakerOpen, apierror.DialledNo, 0},
		"unsent for no reason":     {[]step{{unsent: errors.New("failed")}}, apierror.Internal, apierror.DialledNo, 0},
		"408":                      {[]step{{fails: upstreamError(408, apierror.UpstreamTimeout)}}, apierror.AddOutcomeUnknown, apierror.DialledUnknown, 1},
		"redirect":                 {[]step{{fails: upstreamError(302, apierror.UpstreamRefused)}}, apierror.AddOutcomeUnknown, apierror.DialledUnknown, 1},
		"unavailable":              {[]step{{fails: upstreamError(503, apierror.UpstreamUnavailable)}}, apierror.AddOutcomeUnknown, apierror.DialledUnknown, 1},
		"cut":                      {[]step{{fails: errCut}}, apierror.AddOutcomeUnknown, apierror.DialledUnknown, 1},
		"undecodable":              {[]step{{fails: upstreamError(200, apierror.UpstreamUndecodable)}}, apierror.AddOutcomeUnknown, apierror.DialledUnknown, 1},
		"an error of no kind":      {[]step{{fails: errors.New("failed")}}, apierror.AddOutcomeUnknown, apierror.DialledUnknown, 1},
		"unreached, then lost":     {[]step{{fails: errUnreached}, {fails: errCut}}, apierror.AddOutcomeUnknown, apierror.DialledUnknown, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(test.steps...), func(t *testing.T, h *harness) {
				_, err := h.Add(t.Context(), h.call(""), alice)
				want(t, err, test.reason, test.dialled)
				if h.upstream.sendings() != test.sent {
					t.Errorf("sent %d times, want %d", h.upstream.sendings(), test.sent)
				}
			})
		})
	}
}

func TestA01_AnUnknownOutcomeKeepsWhatTheUpstreamSaid(t *testing.T) {
	cause := upstreamError(503, apierror.UpstreamUnavailable)
	virtual(t, script(step{fails: cause}), func(t *testing.T, h *harness) {
		_, err := h.Add(t.Context(), h.call(""), alice)
		var e *apierror.Error
		if !errors.As(err, &e) || e.UpstreamStatus != 503 || e.UpstreamRequestID != "req_1" || !errors.Is(err, cause) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestA03_AnAddThatCannotBeGrantedInTimeFailsAtOnce(t *testing.T) {
	virtual(t, script(step{wait: 5 * time.Second, dials: true}), func(t *testing.T, h *harness) {
		got := h.add(h.call("r"), alice, 2*time.Second).wait()
		want(t, got.err, apierror.AddRateLimited, apierror.DialledNo)
		if got.at != 0 || h.upstream.sendings() != 0 {
			t.Errorf("failed after %v, sent %d times", got.at, h.upstream.sendings())
		}
	})
}

func TestA03_TheWaitForASlotIsBounded(t *testing.T) {
	virtual(t, script(step{wait: time.Hour, dials: true}), func(t *testing.T, h *harness) {
		got := h.add(h.call(""), alice, 0).wait()
		want(t, got.err, apierror.AddRateLimited, apierror.DialledNo)
		if h.upstream.sendings() != 0 {
			t.Error("was sent")
		}
	})
}

func TestA06_TheCallersEndEndsTheCall(t *testing.T) {
	waits := step{wait: 5 * time.Second, dials: true}
	sent := step{dials: true, takes: 5 * time.Second}
	tests := map[string]struct {
		step    step
		cancel  time.Duration
		within  time.Duration
		reason  apierror.Reason
		dialled apierror.Dialled
		dials   int
	}{
		"cancelled while it waits":     {waits, time.Second, 0, apierror.Cancelled, apierror.DialledNo, 0},
		"cancelled once sent":          {sent, time.Second, 0, apierror.Cancelled, apierror.DialledUnknown, 1},
		"deadline once sent":           {sent, 0, time.Second, apierror.DeadlineExceeded, apierror.DialledUnknown, 1},
		"deadline while reconciling":   {step{dials: true, lag: 3 * time.Second, fails: errCut}, 0, time.Second, apierror.DeadlineExceeded, apierror.DialledUnknown, 1},
		"cancelled before it is again": {step{fails: errUnreached}, 100 * time.Millisecond, 0, apierror.Cancelled, apierror.DialledNo, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(test.step), func(t *testing.T, h *harness) {
				p := h.add(h.call(""), alice, test.within)
				if test.cancel > 0 {
					time.Sleep(test.cancel)
					p.cancel()
				}
				want(t, p.wait().err, test.reason, test.dialled)
				if err := h.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				if h.upstream.dials() != test.dials || len(h.recorder.written()) != test.dials {
					t.Errorf("dialled %d, recorded %v; want %d", h.upstream.dials(), h.recorder.written(), test.dials)
				}
			})
		})
	}
}

func TestA06_ACallThatHasEndedSendsNothing(t *testing.T) {
	virtual(t, script(), func(t *testing.T, h *harness) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := h.Add(ctx, h.call(""), alice)
		want(t, err, apierror.Cancelled, apierror.DialledNo)
		synctest.Wait()
		if h.upstream.sendings() != 0 {
			t.Error("was sent")
		}
	})
}

// The callers' deadlines bound the wait for a slot, but not the request.
func TestA06_CallersDoNotBoundASentAdd(t *testing.T) {
	virtual(t, script(step{silent: true}), func(t *testing.T, h *harness) {
		began := time.Now()
		want(t, h.add(h.call("r"), alice, time.Second).wait().err, apierror.DeadlineExceeded, apierror.DialledUnknown)
		got := h.add(h.call("r"), alice, 0).wait()
		want(t, got.err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
		if took, bound := time.Since(began), sendTimeout+searchTimeout; took != bound {
			t.Errorf("ended after %v, want %v", took, bound)
		}
		waiting, sent := h.upstream.deadlines[0], h.upstream.deadlines[1]
		if !waiting.Equal(began.Add(time.Second)) || !sent.IsZero() {
			t.Errorf("deadline %v after the call, then %v", waiting.Sub(began), sent)
		}
	})
}

func TestW15_AnAddAnswered429IsSentAgain(t *testing.T) {
	ok := step{dials: true}
	limited := step{fails: errThrottled}
	after := func(d time.Duration) step { return step{fails: throttledFor(d)} }
	tests := map[string]struct {
		steps  []step
		within time.Duration
		reason apierror.Reason
		sent   int
		ends   time.Duration
	}{
		"once":                            {[]step{limited, ok}, 0, "", 2, 500 * time.Millisecond},
		"three times":                     {[]step{limited, limited, limited, ok}, 0, "", 4, 3500 * time.Millisecond},
		"not a fourth time":               {[]step{limited}, 0, apierror.UpstreamRateLimited, 4, 3500 * time.Millisecond},
		"after its Retry-After":           {[]step{after(4 * time.Second), ok}, 0, "", 2, 4 * time.Second},
		"not after a longer Retry-After":  {[]step{after(11 * time.Second), ok}, 0, apierror.UpstreamRateLimited, 1, 0},
		"not beyond ten seconds":          {[]step{after(4 * time.Second)}, 0, apierror.UpstreamRateLimited, 3, 8 * time.Second},
		"not beyond the deadline":         {[]step{after(4 * time.Second), ok}, 3 * time.Second, apierror.UpstreamRateLimited, 1, 0},
		"not where its turn is too late":  {[]step{limited, {wait: 11 * time.Second, dials: true}}, 0, apierror.AddRateLimited, 1, 500 * time.Millisecond},
		"not where its turn cannot be in": {[]step{limited, {wait: 4 * time.Second, dials: true}}, 2 * time.Second, apierror.AddRateLimited, 1, 500 * time.Millisecond},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(test.steps...), func(t *testing.T, h *harness) {
				got := h.add(h.call(""), alice, test.within).wait()
				want(t, got.err, test.reason, apierror.DialledNo)
				if h.upstream.sendings() != test.sent || got.at != test.ends {
					t.Errorf("sent %d times, ended after %v; want %d, %v", h.upstream.sendings(), got.at, test.sent, test.ends)
				}
			})
		})
	}
}

func TestA01_A4xxOfAProxyIsNotARefusal(t *testing.T) {
	for _, status := range []int{400, 402, 403, 404, 408, 409, 411, 413, 417, 421, 422, 425, 426, 499} {
		virtual(t, script(step{fails: proxyError(status)}), func(t *testing.T, h *harness) {
			_, err := h.Add(t.Context(), h.call(""), alice)
			want(t, err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
			if h.upstream.sendings() != 1 || h.upstream.read == 0 {
				t.Errorf("%d: sent %d times, read %d lists", status, h.upstream.sendings(), h.upstream.read)
			}
		})
	}
}

func TestA01_Every4xxOfTheUpstreamBut408IsARefusal(t *testing.T) {
	for status := 400; status < 500; status++ {
		class := apierror.Classify(upstreamError(status, apierror.UpstreamRefused))
		if refusal := class == apierror.Refused || class == apierror.Throttled; refusal != (status != 408) || (class == apierror.Throttled) != (status == 429) {
			t.Errorf("%d: class %d", status, class)
		}
	}
}

// Dialled is "no" only if no other call with the request id can still be sent.
func TestA01_ACallThatEndsWhileOthersWaitMayBeDialled(t *testing.T) {
	tests := map[string]struct {
		steps   []step
		others  bool
		dialled apierror.Dialled
	}{
		"alone, waiting":                 {[]step{{wait: 5 * time.Second, dials: true}}, false, apierror.DialledNo},
		"others wait for the turn":       {[]step{{wait: 5 * time.Second, dials: true}}, true, apierror.DialledUnknown},
		"alone, to be sent again":        {[]step{{fails: throttledFor(5 * time.Second)}, {dials: true}}, false, apierror.DialledNo},
		"others wait for the next try":   {[]step{{fails: throttledFor(5 * time.Second)}, {dials: true}}, true, apierror.DialledUnknown},
		"others wait for the next turn":  {[]step{{fails: errUnreached}, {wait: 5 * time.Second, dials: true}}, true, apierror.DialledUnknown},
		"others wait and are never sent": {[]step{{wait: 5 * time.Second, fails: errUnreached}}, true, apierror.DialledUnknown},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(test.steps...), func(t *testing.T, h *harness) {
				first := h.add(h.call("r"), alice, 0)
				time.Sleep(time.Second)
				if test.others {
					h.add(h.call("r"), alice, 0)
				}
				synctest.Wait()
				first.cancel()
				want(t, first.wait().err, apierror.Cancelled, test.dialled)
				if err := h.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				if test.dialled == apierror.DialledNo && h.upstream.dials() > 0 {
					t.Error("a phone rang")
				}
			})
		})
	}
}

// A panic in one operation ends neither the process nor other adds.
func TestA01_APanicIsAnErrorOfItsAddAlone(t *testing.T) {
	tests := map[string]struct {
		steps   []step
		lists   func(int) error
		dialled apierror.Dialled
	}{
		"while it sends":      {[]step{{panics: true}, {dials: true}}, nil, apierror.DialledUnknown},
		"while it reconciles": {[]step{{fails: errCut}, {dials: true}}, func(int) error { panic("list") }, apierror.DialledUnknown},
		"before it sends":     {[]step{{panicsUnsent: true}, {dials: true}}, nil, apierror.DialledNo},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(test.steps...), func(t *testing.T, h *harness) {
				before := panics.Recovered()
				h.upstream.lists = test.lists
				want(t, h.add(h.call(""), alice, 0).wait().err, apierror.Internal, test.dialled)
				want(t, h.add(h.call(""), alice, 0).wait().err, "", "")
				synctest.Wait()
				h.mu.Lock()
				defer h.mu.Unlock()
				if counted := panics.Recovered() - before; counted != 1 || len(h.operations) != 0 {
					t.Errorf("%d panics, %d operations left", counted, len(h.operations))
				}
			})
		})
	}
}

func TestTemporaryErrorsHaveARetryAfter(t *testing.T) {
	tests := map[string]struct {
		err  *apierror.Error
		want time.Duration
	}{
		"unreached":          {errUnreached, defaultRetryAfter},
		"429":                {errThrottled, defaultRetryAfter},
		"429 that named one": {throttledFor(7 * time.Second), 7 * time.Second},
		"refused":            {upstreamError(400, apierror.UpstreamBadRequest), 0},
		"exchange refused":   {errNoCredential, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := withRetryAfter(test.err, apierror.DialledNo).RetryAfter; got != test.want {
				t.Errorf("RetryAfter %v, want %v", got, test.want)
			}
		})
	}
}
