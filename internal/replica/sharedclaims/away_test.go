package sharedclaims_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Redis is cut off from one replica at each step of an add. The request id can be repeated on
// another replica, and nobody is dialled twice.
func TestR08_RedisAwayAtEachStepOfAnAdd(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		step func(cut func()) step
		// first is true if Redis is away before the add.
		first  bool
		reason apierror.Reason
		// sent is how often the add was sent before it was repeated.
		sent int
	}{
		"before the claim":  {step: func(func()) step { return step{} }, first: true, reason: apierror.SharedStateUnavailable},
		"before the mark":   {step: func(cut func()) step { return step{onTurn: cut} }, reason: apierror.SharedStateUnavailable},
		"after the mark":    {step: func(cut func()) step { return step{onSend: cut} }, sent: 1},
		"before the answer": {step: func(cut func()) step { return step{onAnswer: cut} }, sent: 1},
	} {
		for fault, cut := range map[string]func(*replica){
			"cut":   func(r *replica) { r.proxy.Cut() },
			"stall": func(r *replica) { r.proxy.Stall() },
		} {
			t.Run(name+", "+fault, func(t *testing.T) {
				t.Parallel()
				c := newCluster(t)
				a, b := c.replica("a"), c.replica("b")
				c.upstream.script(test.step(func() { cut(a) }), step{})
				if test.first {
					cut(a)
				}
				first := a.add("r", alice).wait()
				want(t, first.err, test.reason, apierror.DialledUnknown)
				if test.reason != "" && (apierror.RetryAfterOf(first.err) == 0 || first.added.Replayed) {
					t.Errorf("retry after %s, replayed %v", apierror.RetryAfterOf(first.err), first.added.Replayed)
				}
				if c.upstream.sendings() != test.sent {
					t.Errorf("sent %d times", c.upstream.sendings())
				}
				second := b.add("r", alice)
				a.reconnect()
				want(t, second.wait().err, "", "")
				third := a.add("r", alice).wait()
				want(t, third.err, "", "")
				if !third.added.Replayed || second.added.Replayed != (test.sent == 1) || c.upstream.sendings() != 1 {
					t.Errorf("replayed: %v, then %v; sent %d times", second.added.Replayed, third.added.Replayed, c.upstream.sendings())
				}
			})
		}
	}
}

func TestR08_WithoutARequestIDAddGoesOn(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a := c.replica("a")
	a.proxy.Cut()
	want(t, a.add("", alice).wait().err, "", "")
	c.upstream.script(step{fails: errLost})
	want(t, a.add("", alice).wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
	// When Redis is back, it learns whose the participants are.
	a.reconnect()
	eventually(t, "the participants are claimed", func() bool { return len(c.keys("claim:participant:*")) == 2 })
}

// A failure before the sending says that nothing was dialled only if Redis agrees: else another
// replica may take the claim over.
func TestR08_AnUnsharedRefusalMayBeDialledElsewhere(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]bool{"Redis there": false, "Redis away": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			a := c.replica("a")
			dialled := apierror.DialledNo
			s := step{refuses: &apierror.Error{Reason: apierror.AddRateLimited, RetryAfter: time.Second}}
			if away {
				s.onTurn, dialled = a.proxy.Cut, apierror.DialledUnknown
			}
			c.upstream.script(s, step{})
			want(t, a.add("r", alice).wait().err, apierror.AddRateLimited, dialled)
			a.reconnect()
			// It is not remembered.
			got := a.add("r", alice).wait()
			for apierror.ReasonOf(got.err) == apierror.SharedStateUnavailable && got.err != nil {
				got = a.add("r", alice).wait()
			}
			if got.err != nil || got.added.Replayed {
				t.Errorf("repeated: %+v, %v", got.added, got.err)
			}
		})
	}
}
