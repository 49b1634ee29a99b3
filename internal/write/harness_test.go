package write

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

var (
	key   = participant.Key{Credential: participant.Fingerprint{1}, Conference: "conf_1"}
	alice = participant.Add{PhoneNumber: "+12025551234", Name: "Alice", Role: participant.RolePresenter}
)

// fakeRecorder keeps the result of each record.
type fakeRecorder struct {
	mu      sync.Mutex
	roster  []string
	fresh   bool
	records []*fakeRecord
	// controls are the records of controls, and forward the lists that were brought forward.
	controls []*fakeControlRecord
	forward  []participant.Key
}

type fakeRecord struct {
	recorder *fakeRecorder
	done     []participant.Write
}

func (r *fakeRecorder) Begin(context.Context, participant.Key) Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	record := &fakeRecord{recorder: r}
	r.records = append(r.records, record)
	return record
}

func (record *fakeRecord) Before() (func(string) bool, bool) {
	return func(id string) bool { return slices.Contains(record.recorder.roster, id) }, record.recorder.fresh
}

func (record *fakeRecord) Done(w participant.Write) {
	record.recorder.mu.Lock()
	defer record.recorder.mu.Unlock()
	record.done = append(record.done, w)
}

// check returns what is wrong with the records, or nil.
func (r *fakeRecorder) check() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, record := range r.records {
		if len(record.done) > 1 {
			return fmt.Errorf("record %d: Done %d times, want once at most", i, len(record.done))
		}
	}
	return nil
}

// written are the ids of the recorded writes, in order.
func (r *fakeRecorder) written() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for _, record := range r.records {
		for _, w := range record.done {
			ids = append(ids, w.Item.ID)
		}
	}
	return ids
}

// harness is a writer between a fake upstream and a fake recorder.
type harness struct {
	*Writer

	upstream *fakeUpstream
	recorder *fakeRecorder
}

func newHarness(adds ...step) *harness {
	h := &harness{upstream: &fakeUpstream{adds: adds}, recorder: &fakeRecorder{}}
	h.Writer = New(Options{Recorder: h.recorder, Logger: slog.New(slog.DiscardHandler)})
	return h
}

func (h *harness) call(requestID string) Call {
	return Call{Key: key, Upstream: h.upstream, Caller: "caller", RequestID: requestID}
}

// virtual runs a test in virtual time and checks every record at its end.
func virtual(t *testing.T, h func() *harness, test func(t *testing.T, h *harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := h()
		test(t, h)
		h.Close()
		if err := h.recorder.check(); err != nil {
			t.Error(err)
		}
	})
}

func script(steps ...step) func() *harness {
	return func() *harness { return newHarness(steps...) }
}

// result is one call's answer.
type result struct {
	added Added
	err   error
	at    time.Duration
}

// pending is an add that runs in its own goroutine.
type pending struct {
	results chan result
	cancel  context.CancelFunc
}

// wait returns the answer, and nothing when called again.
func (p *pending) wait() result { return <-p.results }

// add calls Add with a deadline (zero: none) without waiting for it.
func (h *harness) add(call Call, add participant.Add, within time.Duration) *pending {
	return h.addUnder(context.Background(), call, add, within)
}

func (h *harness) addUnder(ctx context.Context, call Call, add participant.Add, within time.Duration) *pending {
	ctx, cancel := context.WithCancel(ctx)
	if within > 0 {
		ctx, cancel = context.WithTimeout(ctx, within)
	}
	p := &pending{results: make(chan result, 1), cancel: cancel}
	began := time.Now()
	go func() {
		defer cancel()
		added, err := h.Add(ctx, call, add)
		p.results <- result{added, err, time.Since(began)}
		close(p.results)
	}()
	return p
}

// want compares an error with what a test wants of it; an empty reason wants none.
func want(t *testing.T, err error, reason apierror.Reason, dialled apierror.Dialled) {
	t.Helper()
	if reason == "" {
		if err != nil {
			t.Errorf("failed: %v", err)
		}
		return
	}
	var e *apierror.Error
	if !errors.As(err, &e) {
		t.Errorf("error is %v, want reason %s", err, reason)
		return
	}
	if e.Reason != reason || e.Dialled != dialled {
		t.Errorf("reason %s, dialled %q; want %s, %q", e.Reason, e.Dialled, reason, dialled)
	}
}

// upstreamError is an answer of the upstream itself.
func upstreamError(status int, reason apierror.Reason) *apierror.Error {
	return &apierror.Error{
		Reason: reason, Message: "refused", UpstreamStatus: status, UpstreamRequestID: "req_1", FromUpstream: true,
	}
}

// proxyError is an answer in a form that is not the upstream's.
func proxyError(status int) *apierror.Error {
	return &apierror.Error{Reason: apierror.UpstreamUnavailable, Message: "refused", UpstreamStatus: status}
}

var (
	errUnreached = &apierror.Error{Reason: apierror.UpstreamUnreachable, NotSent: true}
	// errNoCredential is that of a key that could not be exchanged: nothing was sent.
	errNoCredential = &apierror.Error{Reason: apierror.CredentialRefused, UpstreamStatus: 403, NotSent: true}
	errBreakerOpen  = &apierror.Error{Reason: apierror.BreakerOpen, Dialled: apierror.DialledNo}
	errThrottled    = upstreamError(429, apierror.UpstreamRateLimited)
	errCut          = &apierror.Error{Reason: apierror.UpstreamUnavailable, Message: "the connection was cut"}
)

func throttledFor(d time.Duration) *apierror.Error {
	e := *errThrottled
	e.RetryAfter = d
	return &e
}

func unavailableFor(d time.Duration) *apierror.Error {
	e := upstreamError(503, apierror.UpstreamUnavailable)
	e.RetryAfter = d
	return e
}
