package write

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

func TestA02_TheSameRequestHasTheSameOutcome(t *testing.T) {
	full := upstreamError(409, apierror.ConferenceFull)
	tests := map[string]struct {
		steps  []step
		reason apierror.Reason
		sent   int
		// replayed is true if the second result is a replay.
		replayed bool
	}{
		"success":               {[]step{{dials: true}}, "", 1, true},
		"unknown":               {[]step{{fails: errCut}}, apierror.AddOutcomeUnknown, 1, true},
		"refused: sent again":   {[]step{{fails: full}}, apierror.ConferenceFull, 2, false},
		"unsent: tried again":   {[]step{{unsent: &apierror.Error{Reason: apierror.BreakerOpen}}}, apierror.BreakerOpen, 0, false},
		"unreached: sent again": {[]step{{fails: errUnreached}}, apierror.UpstreamUnreachable, 8, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(test.steps...), func(t *testing.T, h *harness) {
				first := h.add(h.call("r"), alice, 0).wait()
				second := h.add(h.call("r"), alice, 0).wait()
				if first.added.Replayed || second.added.Replayed != test.replayed {
					t.Errorf("replayed: %v and %v", first.added.Replayed, second.added.Replayed)
				}
				if apierror.ReasonOf(second.err) != apierror.ReasonOf(first.err) || second.added.Participant != first.added.Participant {
					t.Errorf("answered %+v, then %+v", first, second)
				}
				if test.reason != "" && apierror.ReasonOf(first.err) != test.reason {
					t.Errorf("failed: %v", first.err)
				}
				if h.upstream.sendings() != test.sent {
					t.Errorf("sent %d times, want %d", h.upstream.sendings(), test.sent)
				}
			})
		})
	}
}

func TestA02_AReplayHasTheTimeOfTheFirstAnswer(t *testing.T) {
	virtual(t, script(step{dials: true}), func(t *testing.T, h *harness) {
		first := h.add(h.call("r"), alice, 0).wait()
		answered := time.Now()
		time.Sleep(time.Minute)
		second := h.add(h.call("r"), alice, 0).wait()
		if !first.added.AnsweredAt.Equal(answered) || !second.added.AnsweredAt.Equal(answered) {
			t.Errorf("answered at %s, then %s, want %s", first.added.AnsweredAt, second.added.AnsweredAt, answered)
		}
	})
}

func TestA02_ReplaysRecordNoWrite(t *testing.T) {
	virtual(t, script(step{dials: true}), func(t *testing.T, h *harness) {
		for range 5 {
			_, err := h.Add(t.Context(), h.call("r"), alice)
			want(t, err, "", "")
		}
		if got := h.recorder.written(); len(got) != 1 {
			t.Errorf("recorded %v", got)
		}
	})
}

func TestA02_ConcurrentCallsShareOneDial(t *testing.T) {
	for name, s := range map[string]step{
		"while it waits": {wait: 2 * time.Second, dials: true},
		"once sent":      {dials: true, takes: 2 * time.Second},
		"while it lasts": {dials: true, lag: 2 * time.Second, fails: errCut},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(s), func(t *testing.T, h *harness) {
				calls := make([]*pending, 10)
				for i := range calls {
					calls[i] = h.add(h.call("r"), alice, 0)
					time.Sleep(100 * time.Millisecond)
				}
				for i, call := range calls {
					got := call.wait()
					want(t, got.err, "", "")
					if got.added.Participant.ID != "part_1" || got.added.Replayed != (i > 0) {
						t.Errorf("call %d: %+v", i, got.added)
					}
				}
				if h.upstream.dials() != 1 {
					t.Errorf("dialled %d times", h.upstream.dials())
				}
			})
		})
	}
}

// Who sends and leaves before the answer has the one that is no replay.
func TestA02_TheSenderIsNotAReplay(t *testing.T) {
	virtual(t, script(step{dials: true, takes: 5 * time.Second}), func(t *testing.T, h *harness) {
		first := h.add(h.call("r"), alice, 3*time.Second)
		synctest.Wait()
		second := h.add(h.call("r"), alice, 0)
		got := first.wait()
		want(t, got.err, apierror.DeadlineExceeded, apierror.DialledUnknown)
		if got.added.Replayed || !second.wait().added.Replayed {
			t.Error("the wrong one is marked as replayed")
		}
	})
}

// Who joins a dial and leaves before it ends has an answer too, and did not send.
func TestA02_AJoinedCallIsAReplay(t *testing.T) {
	for name, test := range map[string]struct {
		step    step
		dialled apierror.Dialled
	}{
		"while it waits": {step{wait: 5 * time.Second, dials: true}, apierror.DialledUnknown},
		"once sent":      {step{dials: true, takes: 5 * time.Second}, apierror.DialledUnknown},
		"while it lasts": {step{dials: true, lag: 5 * time.Second, fails: errCut}, apierror.DialledUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(test.step), func(t *testing.T, h *harness) {
				first := h.add(h.call("r"), alice, 0)
				time.Sleep(time.Second)
				joined := h.add(h.call("r"), alice, time.Second).wait()
				want(t, joined.err, apierror.DeadlineExceeded, test.dialled)
				if got := first.wait(); got.added.Replayed || !joined.added.Replayed {
					t.Errorf("replayed: the first %v, who joined %v", got.added.Replayed, joined.added.Replayed)
				}
			})
		})
	}
}

// The result of the first waiter when the request is sent is not a replay.
func TestA02_WaitsWhileAnyCallerWaits(t *testing.T) {
	virtual(t, script(step{wait: 3 * time.Second, dials: true}), func(t *testing.T, h *harness) {
		first := h.add(h.call("r"), alice, 0)
		synctest.Wait()
		second := h.add(h.call("r"), alice, 0)
		time.Sleep(time.Second)
		first.cancel()
		left := first.wait()
		want(t, left.err, apierror.Cancelled, apierror.DialledUnknown)
		got := second.wait()
		want(t, got.err, "", "")
		if !left.added.Replayed {
			t.Error("the call that left before the sending is not marked as replayed")
		}
		if got.added.Replayed || h.upstream.dials() != 1 {
			t.Errorf("replayed %v, dialled %d", got.added.Replayed, h.upstream.dials())
		}
	})
}

func TestA02_ACancelledAddStartsAgain(t *testing.T) {
	virtual(t, script(step{wait: time.Minute}, step{dials: true}), func(t *testing.T, h *harness) {
		first := h.add(h.call("r"), alice, 0)
		time.Sleep(time.Second)
		first.cancel()
		want(t, first.wait().err, apierror.Cancelled, apierror.DialledNo)
		got := h.add(h.call("r"), alice, 0).wait()
		want(t, got.err, "", "")
		if got.added.Replayed {
			t.Error("is marked as replayed")
		}
	})
}

// A dial given up may take a while to end. It takes no other with it.
func TestA02_ACancelledAddDoesNotAffectItsSuccessor(t *testing.T) {
	virtual(t, script(step{dials: true, takes: 5 * time.Second}), func(t *testing.T, h *harness) {
		tardy := h.call("r")
		tardy.Upstream = slowUpstream{h.upstream}
		first := h.add(tardy, alice, time.Second)
		want(t, first.wait().err, apierror.DeadlineExceeded, apierror.DialledNo)
		second := h.add(h.call("r"), alice, 0)
		time.Sleep(2 * time.Second)
		third := h.add(h.call("r"), alice, 0)
		want(t, second.wait().err, "", "")
		if got := third.wait(); !got.added.Replayed || h.upstream.dials() != 1 {
			t.Errorf("replayed %v, dialled %d", got.added.Replayed, h.upstream.dials())
		}
	})
}

// slowUpstream grants no slot, and returns a second after ctx ends.
type slowUpstream struct{ *fakeUpstream }

func (u slowUpstream) Reserve(ctx context.Context, _, _ string) (Slot, error) {
	<-ctx.Done()
	time.Sleep(time.Second)
	return nil, ctx.Err()
}

func TestA02_TheLatestDeadlineCounts(t *testing.T) {
	now := time.Now()
	early, late, unbounded := &waiter{now.Add(time.Second)}, &waiter{now.Add(time.Minute)}, &waiter{}
	op := newOperation(request{}, alice, early)
	op.join(late)
	if got := op.latestDeadline(); !got.Equal(late.deadline) {
		t.Errorf("deadline %v", got)
	}
	op.leave(late)
	if got := op.latestDeadline(); !got.Equal(early.deadline) {
		t.Errorf("deadline %v", got)
	}
	op.join(unbounded)
	if got := op.latestDeadline(); !got.IsZero() {
		t.Errorf("deadline %v", got)
	}
}

func TestA02_OtherArgumentsUnderARequestID(t *testing.T) {
	others := map[string]participant.Add{
		"phone": {PhoneNumber: "+12025550000", Name: alice.Name, Role: alice.Role},
		"name":  {PhoneNumber: alice.PhoneNumber, Name: "Bob", Role: alice.Role},
		"role":  {PhoneNumber: alice.PhoneNumber, Name: alice.Name},
		"muted": {PhoneNumber: alice.PhoneNumber, Name: alice.Name, Role: alice.Role, Muted: true},
		"sms":   {PhoneNumber: alice.PhoneNumber, Name: alice.Name, Role: alice.Role, SendPINViaSMS: true},
	}
	virtual(t, script(step{dials: true, takes: time.Second}), func(t *testing.T, h *harness) {
		first := h.add(h.call("r"), alice, 0)
		synctest.Wait()
		for range 2 {
			for name, other := range others {
				got := h.add(h.call("r"), other, 0).wait()
				want(t, got.err, apierror.RequestIDReused, apierror.DialledNo)
				if got.added.Replayed {
					t.Errorf("%s: is marked as replayed", name)
				}
			}
			first.wait()
		}
	})
}

func TestA02_RequestIDsBelongToTheirCaller(t *testing.T) {
	virtual(t, script(), func(t *testing.T, h *harness) {
		calls := []Call{h.call("r"), h.call("r"), h.call("r"), h.call("other"), h.call(""), h.call("")}
		calls[1].Caller = "another"
		calls[2].Key.Conference = "conf_2"
		for i, call := range calls {
			added, err := h.Add(t.Context(), call, alice)
			want(t, err, "", "")
			if added.Replayed || h.upstream.dials() != i+1 {
				t.Errorf("call %d: replayed %v, dialled %d", i, added.Replayed, h.upstream.dials())
			}
		}
	})
}

func TestA02_OutcomesAreKeptForTenMinutes(t *testing.T) {
	virtual(t, script(), func(t *testing.T, h *harness) {
		for i, pause := range []time.Duration{0, outcomeTTL - time.Second, 2 * time.Second} {
			time.Sleep(pause)
			added, err := h.Add(t.Context(), h.call("r"), alice)
			want(t, err, "", "")
			if added.Replayed != (i == 1) {
				t.Errorf("call %d: replayed %v", i, added.Replayed)
			}
		}
	})
}

func TestTTLMapDropsTheOldest(t *testing.T) {
	now := time.Now()
	r := newTTLMap[string, int](time.Minute, 3)
	for i := range 5 {
		r.put(fmt.Sprint(i), i, now.Add(time.Duration(i)*time.Second))
	}
	r.put("4", 40, now.Add(5*time.Second))
	tests := []struct {
		key   string
		at    time.Duration
		value int
		found bool
	}{
		{"0", 5 * time.Second, 0, false},
		{"1", 5 * time.Second, 0, false},
		{"2", 5 * time.Second, 2, true},
		{"4", 5 * time.Second, 40, true},
		{"2", 62 * time.Second, 0, false},
		{"3", 62 * time.Second, 3, true},
		{"4", 64 * time.Second, 0, false},
	}
	for _, test := range tests {
		value, found := r.get(test.key, now.Add(test.at))
		if value != test.value || found != test.found {
			t.Errorf("%s after %v: %d, %v; want %d, %v", test.key, test.at, value, found, test.value, test.found)
		}
	}
	if len(r.values) != 0 || len(r.ages) != 0 {
		t.Errorf("still holds %v", r.values)
	}
}
