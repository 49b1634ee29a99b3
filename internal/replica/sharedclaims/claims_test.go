package sharedclaims_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

func TestR06_ConcurrentCallsOnSeveralReplicasDialOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	replicas := []*replica{c.replica("a"), c.replica("b"), c.replica("c")}
	answer := make(chan struct{})
	c.upstream.script(step{sends: answer})
	var calls []*pending
	for range 3 {
		for _, r := range replicas {
			calls = append(calls, r.add("r", alice))
		}
	}
	eventually(t, "sent", func() bool { return c.upstream.sendings() == 1 })
	close(answer)
	originals, events := 0, 0
	for _, call := range calls {
		want(t, call.wait().err, "", "")
		if call.added.Participant.ID != "part_1" || call.added.Participant.Name != "Alice" {
			t.Errorf("added %+v", call.added.Participant)
		}
		if !call.added.Replayed {
			originals++
		}
	}
	for _, r := range replicas {
		events += r.events()
	}
	if originals != 1 || events != 1 || c.upstream.sendings() != 1 {
		t.Errorf("%d answers are no replay, %d events, sent %d times; want 1 of each", originals, events, c.upstream.sendings())
	}
}

func TestR06_OutcomesAreShared(t *testing.T) {
	t.Parallel()
	full := &apierror.Error{
		Reason: apierror.ConferenceFull, UpstreamStatus: http.StatusConflict, FromUpstream: true, Message: "full", UpstreamRequestID: "req_1",
	}
	other := alice
	other.Muted = true
	lost := *errLost
	lost.UpstreamStatus, lost.UpstreamRequestID = http.StatusBadGateway, "req_2"
	for name, test := range map[string]struct {
		step   step
		second participant.Add
		first  apierror.Reason
		reason apierror.Reason
		// dialled is that of the second answer; sent counts the requests.
		dialled  apierror.Dialled
		sent     int
		replayed bool
	}{
		"success":             {step{}, alice, "", "", "", 1, true},
		"unknown":             {step{silent: true, fails: &lost}, alice, apierror.AddOutcomeUnknown, apierror.AddOutcomeUnknown, apierror.DialledUnknown, 1, true},
		"refused: sent again": {step{silent: true, fails: full}, alice, apierror.ConferenceFull, apierror.ConferenceFull, apierror.DialledNo, 2, false},
		"other arguments":     {step{}, other, "", apierror.RequestIDReused, apierror.DialledNo, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			a, b := c.replica("a"), c.replica("b")
			c.upstream.script(test.step)
			first := a.add("r", alice).wait()
			if test.first != "" || first.err != nil {
				if apierror.ReasonOf(first.err) != test.first {
					t.Fatalf("first: %v", first.err)
				}
			}
			second := b.add("r", test.second).wait()
			want(t, second.err, test.reason, test.dialled)
			if second.added.Replayed != test.replayed || c.upstream.sendings() != test.sent || b.events() != 0 && test.replayed {
				t.Errorf("replayed %v, sent %d times, %d events", second.added.Replayed, c.upstream.sendings(), b.events())
			}
			if e, f := apierror.From(second.err), apierror.From(first.err); test.replayed && test.reason != "" &&
				(e.UpstreamStatus != f.UpstreamStatus || e.UpstreamRequestID != f.UpstreamRequestID || e.Message != f.Message) {
				t.Errorf("answered %+v, then %+v", f, e)
			}
			if d := second.added.AnsweredAt.Sub(first.added.AnsweredAt).Abs(); test.replayed && d > 50*time.Millisecond {
				t.Errorf("answered %s apart", d)
			}
		})
	}
}

func TestR06_RequestIDsBelongToTheirCallerAndConference(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.replica("a"), c.replica("b")
	want(t, a.add("r", alice).wait().err, "", "")
	another, elsewhere := b.call("r"), b.call("r")
	another.Caller, elsewhere.Key.Conference = "another", "conf_2"
	for i, p := range []*pending{b.addAs(another, alice), b.addAs(elsewhere, alice), b.add("other", alice), b.add("", alice)} {
		p.wait()
		if p.err != nil || p.added.Replayed {
			t.Errorf("call %d: %+v, %v", i, p.added, p.err)
		}
	}
	if c.upstream.sendings() != 5 {
		t.Errorf("sent %d times", c.upstream.sendings())
	}
}

// A caller on another replica hears of a failure that surely did not dial, and does not dial.
func TestR06_WaitingCallersGetTheOutcomeOfTheirAttempt(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.replica("a"), c.replica("b")
	answer := make(chan struct{})
	c.upstream.script(step{silent: true, sends: answer, fails: &apierror.Error{
		Reason: apierror.UpstreamForbidden, UpstreamStatus: http.StatusForbidden, FromUpstream: true,
	}})
	first := a.add("r", alice)
	eventually(t, "sent", func() bool { return c.upstream.sendings() == 1 })
	second := waiting(c, b)
	close(answer)
	want(t, first.wait().err, apierror.UpstreamForbidden, apierror.DialledNo)
	want(t, second.wait().err, apierror.UpstreamForbidden, apierror.DialledNo)
	if first.added.Replayed || !second.added.Replayed || c.upstream.sendings() != 1 {
		t.Errorf("replayed: %v and %v; sent %d times", first.added.Replayed, second.added.Replayed, c.upstream.sendings())
	}
}

// waiting adds once more, and returns when the call has read the claim.
func waiting(c *cluster, r *replica) *pending {
	c.t.Helper()
	before := scripts(c)
	p := r.add("r", alice)
	eventually(c.t, "the claim was read", func() bool { return scripts(c) > before })
	return p
}

// scripts counts the scripts that Redis ran.
func scripts(c *cluster) (n int) {
	stats := fmt.Sprint(c.redis.Do("INFO", "commandstats"))
	for _, name := range []string{"cmdstat_evalsha:calls=", "cmdstat_eval:calls="} {
		n += number(stats, name)
	}
	return n
}

// A caller that leaves an add in the queue gives it to those who wait on other replicas.
func TestR06_AnAddGoesOnWhileAnyCallerWaits(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.replica("a"), c.replica("b")
	turn := make(chan struct{})
	queued := make(chan struct{})
	c.upstream.script(step{waits: turn, onTurn: func() { close(queued) }}, step{})
	first := a.add("r", alice)
	<-queued
	second := waiting(c, b)
	first.cancel()
	want(t, first.wait().err, apierror.Cancelled, apierror.DialledUnknown)
	want(t, second.wait().err, "", "")
	if second.added.Replayed || c.upstream.sendings() != 1 {
		t.Errorf("replayed %v, sent %d times", second.added.Replayed, c.upstream.sendings())
	}
}

func TestR06_AnUnmarkedClaimIsTakenOver(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.replica("a"), c.replica("b")
	turn := make(chan struct{})
	queued := make(chan struct{})
	c.upstream.script(step{waits: turn, onTurn: func() { close(queued) }}, step{})
	first := a.add("r", alice)
	<-queued
	a.die()
	second := b.add("r", alice).wait()
	want(t, second.err, "", "")
	// The former holder wakes up: its mark is refused.
	a.reconnect()
	close(turn)
	want(t, first.wait().err, "", "")
	if second.added.Replayed || !first.added.Replayed || c.upstream.sendings() != 1 || a.events() != 0 {
		t.Errorf("replayed: %v, then the former holder %v; sent %d times; %d events", second.added.Replayed, first.added.Replayed,
			c.upstream.sendings(), a.events())
	}
}

func TestR06_AMarkedClaimIsReconciled(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		silent  bool
		another bool
		reason  apierror.Reason
		dialled apierror.Dialled
	}{
		"found":   {reason: ""},
		"none":    {silent: true, reason: apierror.AddOutcomeUnknown, dialled: apierror.DialledUnknown},
		"several": {another: true, reason: apierror.AddOutcomeUnknown, dialled: apierror.DialledUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			a, b, d := c.replica("a"), c.replica("b"), c.replica("d")
			answer := make(chan struct{})
			c.upstream.script(step{silent: test.silent, sends: answer})
			first := a.add("r", alice)
			eventually(t, "sent", func() bool { return c.upstream.sendings() == 1 })
			if test.another {
				c.upstream.take("conf_1", alice, false)
			}
			sent := c.upstream.sendings()
			a.die()
			calls := []*pending{b.add("r", alice), d.add("r", alice)}
			for _, call := range calls {
				want(t, call.wait().err, test.reason, test.dialled)
				if !call.added.Replayed {
					t.Error("is not marked as replayed")
				}
			}
			if c.upstream.sendings() != sent || b.events()+d.events() != 0 {
				t.Errorf("sent %d times more, %d events", c.upstream.sendings()-sent, b.events()+d.events())
			}
			// The holder was not dead, and gets the one outcome.
			a.reconnect()
			close(answer)
			want(t, first.wait().err, test.reason, test.dialled)
		})
	}
}
