package write

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
)

type fakeControlRecord struct {
	recorder *fakeRecorder
	done     []participant.Controlled
}

func (r *fakeRecorder) BeginControl(context.Context, participant.Key) ControlRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	record := &fakeControlRecord{recorder: r}
	r.controls = append(r.controls, record)
	return record
}

func (record *fakeControlRecord) Done(c participant.Controlled) {
	record.recorder.mu.Lock()
	defer record.recorder.mu.Unlock()
	record.done = append(record.done, c)
}

func (r *fakeRecorder) BringForward(ctx context.Context, key participant.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forward = append(r.forward, key)
}

// control follows the script of controls.
func (u *fakeUpstream) control(ctx context.Context, sent string) (participant.Item, error) {
	u.mu.Lock()
	u.controlled = append(u.controlled, sent)
	s := next(&u.controls)
	u.retries = append(u.retries, requestctx.IsRetry(ctx))
	u.mu.Unlock()
	return s.shows, u.respond(ctx, s)
}

func (u *fakeUpstream) Control(ctx context.Context, conference, id string, control participant.Control) (participant.Item, error) {
	item, err := u.control(ctx, control.String()+" "+id)
	item.ID, item.ConferenceID = id, conference
	return item, err
}

func (u *fakeUpstream) MuteAll(ctx context.Context, conference string) error {
	_, err := u.control(ctx, "mute-all "+conference)
	return err
}

var everyControl = []participant.Control{
	participant.ControlMute, participant.ControlUnmute, participant.ControlHold, participant.ControlResume,
	participant.ControlDisconnect,
}

// controlResult is one call's answer.
type controlResult struct {
	item participant.Item
	err  error
	at   time.Duration
}

// control runs one Control against a script.
func control(
	t *testing.T, c participant.Control, within time.Duration, steps []step,
	check func(t *testing.T, h *harness, got controlResult),
) {
	t.Helper()
	virtual(t, script(), func(t *testing.T, h *harness) {
		h.upstream.controls = steps
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		began := time.Now()
		item, err := h.Control(ctx, h.call(""), "part_1", c)
		check(t, h, controlResult{item, err, time.Since(began)})
	})
}

// checkRecords checks that a success was recorded once, for the n-th request, and a failure for
// none.
func checkRecords(t *testing.T, h *harness, n int, want participant.Controlled) {
	t.Helper()
	for i, record := range h.recorder.controls {
		switch {
		case i != n && len(record.done) > 0:
			t.Errorf("recorded for request %d: %+v", i, record.done)
		case i == n && !slices.Equal(record.done, []participant.Controlled{want}):
			t.Errorf("request %d: recorded %+v, want %+v", i, record.done, want)
		}
	}
	if len(h.recorder.records) > 0 || len(h.recorder.forward) > 0 {
		t.Error("recorded as an add or a remove, or brought a list forward")
	}
}

func TestA08_AControlReturnsAndRecordsTheAnswer(t *testing.T) {
	held := participant.Item{
		Participant: participant.Participant{ID: "part_1", ConferenceID: "conf_1", Status: participant.StatusHeld},
		Fields:      participant.FieldStatus,
	}
	for name, want := range map[string]participant.Item{"with a participant": held, "without": itemOf(key, "part_1")} {
		for _, c := range everyControl {
			control(t, c, 30*time.Second, []step{{shows: want}}, func(t *testing.T, h *harness, got controlResult) {
				if got.err != nil || got.item != want || !slices.Equal(h.upstream.controlled, []string{c.String() + " part_1"}) {
					t.Errorf("%s, %s: got %+v after %v", name, c, got, h.upstream.controlled)
				}
				checkRecords(t, h, 0, participant.Controlled{Control: c, Item: want})
			})
		}
	}
}

// TestA08_AfterALostAttempt gives the reason of the call's error for a disconnect and for the
// other controls.
func TestA08_AfterALostAttempt(t *testing.T) {
	var (
		gone     = step{fails: errNotFound}
		conflict = step{fails: upstreamError(409, apierror.UpstreamConflict)}
		full     = step{fails: upstreamError(409, apierror.ConferenceFull)}
		cut      = step{fails: errCut}
		broken   = step{fails: upstreamError(503, apierror.UpstreamUnavailable)}
	)
	const notFound, refused, unavailable = apierror.ParticipantNotFound, apierror.UpstreamConflict, apierror.UpstreamUnavailable
	for name, test := range map[string]struct {
		steps              []step
		disconnect, others apierror.Reason
		// recorded is the request for which a success is recorded.
		recorded int
	}{
		"a plain 404":                 {[]step{gone}, notFound, notFound, -1},
		"a plain 409":                 {[]step{conflict}, refused, refused, -1},
		"404 after a cut":             {[]step{cut, gone}, "", notFound, 0},
		"409 after a cut":             {[]step{cut, conflict}, "", refused, 0},
		"any 409 after a cut":         {[]step{cut, full}, "", apierror.ConferenceFull, 0},
		"404 after a 503":             {[]step{broken, gone}, "", notFound, 0},
		"409 after a 503":             {[]step{broken, conflict}, "", refused, 0},
		"404 after a 408":             {[]step{{fails: upstreamError(408, apierror.UpstreamTimeout)}, gone}, "", notFound, 0},
		"404 after two":               {[]step{cut, {fails: errThrottled}, gone}, "", notFound, 0},
		"409 after unreached and cut": {[]step{{fails: errUnreached}, cut, conflict}, "", refused, 1},
		"404 after a 429":             {[]step{{fails: errThrottled}, gone}, notFound, notFound, -1},
		"409 after a 429":             {[]step{{fails: errThrottled}, conflict}, refused, refused, -1},
		"404 after unreached":         {[]step{{fails: errUnreached}, gone}, notFound, notFound, -1},
		"409 after unreached":         {[]step{{fails: errUnreached}, conflict}, refused, refused, -1},
		"a proxy's 404 after a cut":   {[]step{cut, {fails: proxyError(404)}}, unavailable, unavailable, -1},
		"a proxy's 409 after a cut":   {[]step{cut, {fails: proxyError(409)}}, unavailable, unavailable, -1},
		"a proxy's 404, then ours":    {[]step{{fails: proxyError(404)}, gone}, "", notFound, 0},
		"403 after a cut":             {[]step{cut, {fails: upstreamError(403, apierror.UpstreamForbidden)}}, apierror.UpstreamForbidden, apierror.UpstreamForbidden, -1},
		"410 after a cut":             {[]step{cut, {fails: upstreamError(410, apierror.UpstreamRefused)}}, apierror.UpstreamRefused, apierror.UpstreamRefused, -1},
	} {
		for _, c := range everyControl {
			t.Run(name+", "+c.String(), func(t *testing.T) {
				control(t, c, 30*time.Second, test.steps, func(t *testing.T, h *harness, got controlResult) {
					reason, recorded := test.others, -1
					if c == participant.ControlDisconnect {
						reason, recorded = test.disconnect, test.recorded
					}
					want(t, got.err, reason, "")
					if len(h.upstream.controlled) < len(test.steps) {
						t.Errorf("sent %d times", len(h.upstream.controlled))
					}
					checkRecords(t, h, recorded, participant.Controlled{Control: c, Item: itemOf(key, "part_1")})
				})
			})
		}
	}
}

// TestA08_ASuccessCountsFromTheFirstRequestThatMayHaveBeenCarriedOut answers a later request.
func TestA08_ASuccessCountsFromTheFirstRequestThatMayHaveBeenCarriedOut(t *testing.T) {
	shown := participant.Item{
		Participant: participant.Participant{ID: "part_1", ConferenceID: "conf_1", Muted: true}, Fields: participant.FieldMuted,
	}
	answered := step{shows: shown}
	for name, test := range map[string]struct {
		steps    []step
		recorded int
	}{
		"after a cut":               {[]step{{fails: errCut}, answered}, 0},
		"after two":                 {[]step{{fails: errCut}, {fails: errCut}, answered}, 0},
		"after a 429 and a cut":     {[]step{{fails: errThrottled}, {fails: errCut}, answered}, 1},
		"after a 429":               {[]step{{fails: errThrottled}, answered}, 1},
		"after unreached":           {[]step{{fails: errUnreached}, answered}, 1},
		"after a proxy's 502":       {[]step{{fails: proxyError(502)}, answered}, 0},
		"after an answer too large": {[]step{{fails: &apierror.Error{Reason: apierror.UpstreamUndecodable, UpstreamStatus: 200}}, answered}, 0},
	} {
		for _, c := range everyControl {
			control(t, c, 30*time.Second, test.steps, func(t *testing.T, h *harness, got controlResult) {
				if got.err != nil || got.item != shown {
					t.Errorf("%s, %s: got %+v", name, c, got)
				}
				checkRecords(t, h, test.recorded, participant.Controlled{Control: c, Item: shown})
			})
		}
	}
}

func TestA08_ControlsAreRetriedAsRemoveIs(t *testing.T) {
	for name, test := range map[string]struct {
		steps  []step
		reason apierror.Reason
		sent   int
	}{
		"answered":            {[]step{{}}, "", 1},
		"slow":                {[]step{{takes: 28 * time.Second}}, "", 1},
		"503 twice":           {[]step{{fails: upstreamError(503, apierror.UpstreamUnavailable)}, {fails: errCut}, {}}, "", 3},
		"429, come back late": {[]step{{fails: throttledFor(time.Minute)}}, apierror.UpstreamRateLimited, 1},
		"for ever":            {[]step{{fails: errCut}}, apierror.UpstreamUnavailable, maxRetries + 1},
		"bad request":         {[]step{{fails: upstreamError(400, apierror.UpstreamBadRequest)}}, apierror.UpstreamBadRequest, 1},
		"credential refused":  {[]step{{fails: upstreamError(401, apierror.CredentialRefused)}}, apierror.CredentialRefused, 1},
		"the breaker opens":   {[]step{{fails: errCut}, {fails: errBreakerOpen}}, apierror.UpstreamUnavailable, 2},
		"no answer":           {[]step{{silent: true}}, apierror.DeadlineExceeded, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range everyControl {
				control(t, c, 30*time.Second, test.steps, func(t *testing.T, h *harness, got controlResult) {
					checkRetries(t, h, got.err, test.reason, test.sent)
				})
			}
			virtual(t, script(), func(t *testing.T, h *harness) {
				h.upstream.controls = test.steps
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				checkRetries(t, h, h.MuteAll(ctx, h.call("")), test.reason, test.sent)
			})
		})
	}
}

// checkRetries checks how a call ended, and that all its requests but the first are marked as
// retries.
func checkRetries(t *testing.T, h *harness, err error, reason apierror.Reason, sent int) {
	t.Helper()
	want(t, err, reason, "")
	for i, isRetry := range h.upstream.retries {
		if isRetry != (i > 0) {
			t.Errorf("request %d: retry %t", i, isRetry)
		}
	}
	if len(h.upstream.controlled) != sent {
		t.Errorf("sent %v, want %d", h.upstream.controlled, sent)
	}
}

// TestA08_MuteAllBringsTheNextListForward checks that it does so once, after its success only.
func TestA08_MuteAllBringsTheNextListForward(t *testing.T) {
	conflict := step{fails: upstreamError(409, apierror.UpstreamConflict)}
	gone := step{fails: upstreamError(404, apierror.ConferenceNotFound)}
	for name, test := range map[string]struct {
		steps  []step
		reason apierror.Reason
	}{
		"answered":        {[]step{{}}, ""},
		"after a cut":     {[]step{{fails: errCut}, {}}, ""},
		"404":             {[]step{gone}, apierror.ConferenceNotFound},
		"404 after a cut": {[]step{{fails: errCut}, gone}, apierror.ConferenceNotFound},
		"409 after a cut": {[]step{{fails: errCut}, conflict}, apierror.UpstreamConflict},
		"cut for ever":    {[]step{{fails: errCut}}, apierror.UpstreamUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(), func(t *testing.T, h *harness) {
				h.upstream.controls = test.steps
				want(t, h.MuteAll(t.Context(), h.call("")), test.reason, "")
				var forward []participant.Key
				if test.reason == "" {
					forward = []participant.Key{key}
				}
				if !slices.Equal(h.recorder.forward, forward) || len(h.recorder.controls)+len(h.recorder.records) > 0 {
					t.Errorf("brought forward %v, recorded %v", h.recorder.forward, h.recorder.controls)
				}
			})
		})
	}
}

func TestA08_AControlEndsWithItsCall(t *testing.T) {
	control(t, participant.ControlHold, 5*time.Second, []step{{silent: true}}, func(t *testing.T, h *harness, got controlResult) {
		want(t, got.err, apierror.DeadlineExceeded, "")
		if got.at != 5*time.Second {
			t.Errorf("ended after %v", got.at)
		}
		checkRecords(t, h, -1, participant.Controlled{})
	})
}
