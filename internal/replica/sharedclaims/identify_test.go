package sharedclaims_test

import (
	"testing"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// lostOn lets an add of each replica lose its answer at the same time.
func lostOn(t *testing.T, c *cluster, adds map[*replica]participant.Add, steps ...step) []*pending {
	t.Helper()
	answer := make(chan struct{})
	for i := range steps {
		steps[i].sends, steps[i].fails = answer, errLost
	}
	var calls []*pending
	for r, add := range adds {
		c.upstream.script(steps[len(calls)])
		calls = append(calls, r.add("", add))
		eventually(t, "sent", func() bool { return c.upstream.sendings() == len(calls) })
	}
	close(answer)
	for _, call := range calls {
		call.wait()
	}
	return calls
}

func TestR06_EqualAddsThatLostTheirAnswers(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]step{
		"one dialled":  {{}, {silent: true}},
		"both dialled": {{}, {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			calls := lostOn(t, c, map[*replica]participant.Add{c.replica("a"): alice, c.replica("b"): alice}, steps...)
			for _, call := range calls {
				want(t, call.err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
			}
		})
	}
}

func TestR06_DifferentAddsThatLostTheirAnswers(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	bob := participant.Add{PhoneNumber: alice.PhoneNumber, Name: "Bob"}
	adds := map[*replica]participant.Add{c.replica("a"): alice, c.replica("b"): bob}
	for _, call := range lostOn(t, c, adds, step{}, step{}) {
		want(t, call.err, "", "")
	}
}

// The participant of a success on one replica is not that of a lost add on another, even if the
// success came after.
func TestR06_AParticipantBelongsToOneAdd(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.replica("a"), c.replica("b")
	answer := make(chan struct{})
	c.upstream.script(step{silent: true, sends: answer, fails: errLost}, step{})
	lost := a.add("", alice)
	eventually(t, "sent", func() bool { return c.upstream.sendings() == 1 })
	want(t, b.add("", alice).wait().err, "", "")
	close(answer)
	want(t, lost.wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
}

// What an add with an unknown outcome may have created is not given to an add that was sent later.
func TestR06_CandidatesOfAnUnknownOutcomeStayUnclaimed(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.replica("a"), c.replica("b")
	c.upstream.take("conf_1", alice, false)
	c.upstream.script(step{fails: errLost})
	want(t, a.add("", alice).wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
	c.upstream.script(step{silent: true, fails: errLost})
	want(t, b.add("", alice).wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
	c.upstream.script(step{fails: errLost})
	got := b.add("", alice).wait()
	want(t, got.err, "", "")
	if got.added.Participant.ID != "part_3" {
		t.Errorf("found %+v", got.added.Participant)
	}
}

// An add of a replica that has died, or of another version, may have created any participant that
// matches.
func TestR06_AnAddOfADeadReplicaStaysACompetitor(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]bool{"readable": false, "of another version": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			a, b := c.replica("a"), c.replica("b")
			hang := make(chan struct{})
			defer close(hang)
			c.upstream.script(step{sends: hang}, step{silent: true, fails: errLost})
			a.add("", alice)
			eventually(t, "sent", func() bool { return c.upstream.sendings() == 1 })
			a.die()
			if key := c.keys("claim:adds:*")[0]; spoil {
				fields, _ := c.redis.Do("HKEYS", key).([]any)
				for _, field := range fields {
					if name, _ := field.(string); len(name) > 1 {
						c.redis.Do("HSET", key, name, "{}")
					}
				}
			}
			want(t, b.add("", alice).wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
		})
	}
}
