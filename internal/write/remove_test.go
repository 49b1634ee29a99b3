package write

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/retry"
)

var errNotFound = upstreamError(404, apierror.ParticipantNotFound)

// remove runs one Remove against a script.
func remove(t *testing.T, within time.Duration, steps []step, check func(t *testing.T, h *harness, got result)) {
	t.Helper()
	virtual(t, script(), func(t *testing.T, h *harness) {
		h.upstream.removes = steps
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		began := time.Now()
		err := h.Remove(ctx, h.call(""), "part_1")
		check(t, h, result{err: err, at: time.Since(began)})
	})
}

func TestA02_ANotFoundAfterALostAttemptIsSuccess(t *testing.T) {
	notFound := step{fails: errNotFound}
	tests := map[string]struct {
		steps  []step
		reason apierror.Reason
	}{
		"plain":                     {[]step{notFound}, apierror.ParticipantNotFound},
		"after a cut":               {[]step{{fails: errCut}, notFound}, ""},
		"after a 503":               {[]step{{fails: upstreamError(503, apierror.UpstreamUnavailable)}, notFound}, ""},
		"after two":                 {[]step{{fails: errCut}, {fails: errThrottled}, notFound}, ""},
		"after a 429":               {[]step{{fails: errThrottled}, notFound}, apierror.ParticipantNotFound},
		"after unreached":           {[]step{{fails: errUnreached}, notFound}, apierror.ParticipantNotFound},
		"a proxy's 404 after a 502": {[]step{{fails: proxyError(502)}, {fails: proxyError(404)}}, apierror.UpstreamUnavailable},
		"a proxy's 404 after a cut": {[]step{{fails: errCut}, {fails: proxyError(404)}}, apierror.UpstreamUnavailable},
		"a proxy's 404, then ours":  {[]step{{fails: proxyError(404)}, notFound}, ""},
		"another 4xx after":         {[]step{{fails: errCut}, {fails: upstreamError(403, apierror.UpstreamForbidden)}}, apierror.UpstreamForbidden},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			remove(t, 30*time.Second, test.steps, func(t *testing.T, h *harness, got result) {
				want(t, got.err, test.reason, "")
				if recorded := slices.Equal(h.recorder.written(), []string{"part_1"}); recorded != (test.reason == "") {
					t.Errorf("recorded %v", h.recorder.written())
				}
				if first := h.recorder.records[0]; test.reason == "" && len(first.done) != 1 {
					t.Error("recorded for a later request than the first that may have been carried out")
				}
			})
		})
	}
}

func TestA06_RemovesAreRetriedIfThatIsSafeAndMayHelp(t *testing.T) {
	tests := map[string]struct {
		steps  []step
		reason apierror.Reason
		sent   int
	}{
		"answered":             {[]step{{}}, "", 1},
		"unreached once":       {[]step{{fails: errUnreached}, {}}, "", 2},
		"503 twice":            {[]step{{fails: upstreamError(503, apierror.UpstreamUnavailable)}, {fails: errCut}, {}}, "", 3},
		"slow":                 {[]step{{takes: 28 * time.Second}}, "", 1},
		"429":                  {[]step{{fails: errThrottled}, {}}, "", 2},
		"429, come back soon":  {[]step{{fails: throttledFor(retry.MaxRetryAfter)}, {}}, "", 2},
		"429, come back late":  {[]step{{fails: throttledFor(time.Minute)}}, apierror.UpstreamRateLimited, 1},
		"for ever":             {[]step{{fails: errCut}}, apierror.UpstreamUnavailable, maxRetries + 1},
		"bad request":          {[]step{{fails: upstreamError(400, apierror.UpstreamBadRequest)}}, apierror.UpstreamBadRequest, 1},
		"credential refused":   {[]step{{fails: upstreamError(401, apierror.CredentialRefused)}}, apierror.CredentialRefused, 1},
		"exchange refused":     {[]step{{fails: errNoCredential}}, apierror.CredentialRefused, 1},
		"the breaker opens":    {[]step{{fails: errCut}, {fails: errBreakerOpen}}, apierror.UpstreamUnavailable, 2},
		"408":                  {[]step{{fails: upstreamError(408, apierror.UpstreamTimeout)}, {}}, "", 2},
		"failure without kind": {[]step{{fails: errors.New("failed")}, {}}, "", 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			remove(t, 30*time.Second, test.steps, func(t *testing.T, h *harness, got result) {
				want(t, got.err, test.reason, "")
				if h.upstream.removed != test.sent {
					t.Errorf("sent %d times, want %d", h.upstream.removed, test.sent)
				}
			})
		})
	}
}

func TestA06_ARemoveMeetsTheOpenBreaker(t *testing.T) {
	remove(t, 30*time.Second, []step{{fails: errBreakerOpen}}, func(t *testing.T, h *harness, got result) {
		want(t, got.err, apierror.BreakerOpen, apierror.DialledNo)
		if h.upstream.removed != 1 {
			t.Errorf("tried %d times", h.upstream.removed)
		}
	})
}

// Retries are marked, so that the circuit breaker can count calls.
func TestA06_RetriesAreMarkedAsRetries(t *testing.T) {
	again := []bool{false, true, true}
	remove(t, 30*time.Second, []step{{fails: errCut}, {fails: errThrottled}, {}}, func(t *testing.T, h *harness, got result) {
		want(t, got.err, "", "")
		if !slices.Equal(h.upstream.retries, again) {
			t.Errorf("removes said %v", h.upstream.retries)
		}
	})
	virtual(t, script(step{fails: errUnreached}, step{fails: errThrottled}, step{dials: true}), func(t *testing.T, h *harness) {
		want(t, h.add(h.call(""), alice, 0).wait().err, "", "")
		if !slices.Equal(h.upstream.retries, again) {
			t.Errorf("adds said %v", h.upstream.retries)
		}
	})
}

func TestA06_ARemoveEndsWithItsDeadline(t *testing.T) {
	remove(t, 5*time.Second, []step{{silent: true}}, func(t *testing.T, _ *harness, got result) {
		want(t, got.err, apierror.DeadlineExceeded, "")
		if got.at != 5*time.Second {
			t.Errorf("ended after %v", got.at)
		}
	})
}

// A wait that would outlast the deadline is not begun: the last answer is returned at once.
func TestA06_ARemoveDoesNotWaitBeyondItsDeadline(t *testing.T) {
	tests := map[string]struct {
		step   step
		within time.Duration
		reason apierror.Reason
		ends   time.Duration
	}{
		"429 with Retry-After": {step{fails: throttledFor(2 * time.Second)}, 1500 * time.Millisecond, apierror.UpstreamRateLimited, 0},
		"503 with Retry-After": {step{fails: unavailableFor(2 * time.Second)}, 2 * time.Second, apierror.UpstreamUnavailable, 0},
		"the back-off":         {step{takes: 4900 * time.Millisecond, fails: errCut}, 5 * time.Second, apierror.UpstreamUnavailable, 4900 * time.Millisecond},
		"unreached":            {step{fails: errUnreached}, 100 * time.Millisecond, apierror.UpstreamUnreachable, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			remove(t, test.within, []step{test.step, {}}, func(t *testing.T, h *harness, got result) {
				want(t, got.err, test.reason, "")
				if got.at != test.ends || h.upstream.removed != 1 {
					t.Errorf("ended after %v, sent %d times; want %v, once", got.at, h.upstream.removed, test.ends)
				}
			})
		})
	}
}

func TestA06_ARetryAfterIsWaitedFor(t *testing.T) {
	for range 20 { // jitter may hide it once
		steps := []step{{fails: throttledFor(time.Second)}, {}}
		remove(t, 30*time.Second, steps, func(t *testing.T, _ *harness, got result) {
			want(t, got.err, "", "")
			if got.at < time.Second || got.at > 2*time.Second {
				t.Errorf("sent again after %v", got.at)
			}
		})
	}
}

// Many removes that fail at once are not all sent again.
func TestA06_RemovesShareABudget(t *testing.T) {
	virtual(t, script(), func(t *testing.T, h *harness) {
		h.upstream.removes = []step{{takes: time.Second, fails: errCut}}
		const removes = 50
		errs := make(chan error, removes)
		for range removes {
			go func() { errs <- h.Remove(t.Context(), h.call(""), "part_1") }()
		}
		for range removes {
			want(t, <-errs, apierror.UpstreamUnavailable, "")
		}
		if sent := h.upstream.removed; sent <= removes || sent > 2*removes {
			t.Errorf("%d removes were sent %d times", removes, sent)
		}
	})
}
