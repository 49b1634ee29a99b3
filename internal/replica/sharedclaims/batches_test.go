package sharedclaims_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/batch"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/write"
)

// entry returns the call of an entry of the batch b.
func (r *replica) entry(number int, left func(sent bool)) write.Call {
	call := r.call("b")
	call.Entry = &write.Entry{Batch: r.id, Number: number, Left: left}
	return call
}

func (r *replica) sharedBatch(adds ...participant.Add) batch.SharedBatch {
	shared := batch.SharedBatch{Scope: r.call("b").Scope(), Adds: adds}
	for i := range adds {
		shared.Entries = append(shared.Entries, r.entry(i+1, nil).Scope())
	}
	return shared
}

func TestA09_ABatchIsKnownToAllReplicas(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.replica("a"), c.replica("b")
	other := alice
	other.Name = "Bob"
	mustExist := func(shared batch.SharedBatch) batch.SharedBatch {
		shared.MustExist = true
		return shared
	}
	for _, tt := range []struct {
		name    string
		replica *replica
		batch   batch.SharedBatch
		want    error
	}{
		{"not held", b, mustExist(b.sharedBatch(alice)), batch.ErrUnknown},
		{"begun", a, a.sharedBatch(alice), nil},
		{"resumed", b, mustExist(b.sharedBatch(alice)), nil},
		{"repeated", b, b.sharedBatch(alice), nil},
		{"other entries", b, b.sharedBatch(other), write.ErrRequestIDReused},
		{"more entries", b, mustExist(b.sharedBatch(alice, other)), write.ErrRequestIDReused},
	} {
		if err := tt.replica.store.KeepBatch(t.Context(), tt.batch); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	b.proxy.Cut()
	eventually(t, "Redis is away", func() bool { return !b.conn.Available() })
	if err := b.store.KeepBatch(t.Context(), b.sharedBatch(alice)); err == nil {
		t.Error("a batch is kept without Redis")
	}
	waited := make(chan error, 1)
	go func() { waited <- b.store.WaitAvailable(t.Context()) }()
	select {
	case err := <-waited:
		t.Errorf("Redis is away, but: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	b.reconnect()
	if err := <-waited; err != nil {
		t.Error(err)
	}
}

// A claim lives longer than the batch: an entry whose claim has expired would be sent again.
func TestA09_ABatchExtendsTheClaimsOfItsEntries(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a := c.replica("a")
	bob := alice
	bob.PhoneNumber = "+12025554321"
	want(t, a.addAs(a.entry(2, func(bool) {}), bob).wait().err, "", "")
	shared := a.sharedBatch(alice, bob)
	if err := a.store.KeepBatch(t.Context(), shared); err != nil {
		t.Fatal(err)
	}
	client := c.redis.Client()
	var lives []time.Duration
	for _, pattern := range []string{prefix + "claim:batch:*", prefix + "claim:id:*"} {
		keys := client.Keys(t.Context(), pattern).Val()
		if len(keys) != 1 {
			t.Fatalf("%s: keys %v", pattern, keys)
		}
		lives = append(lives, client.PTTL(t.Context(), keys[0]).Val())
	}
	if lives[0] < 9*time.Minute || lives[1] < lives[0]+30*time.Second {
		t.Errorf("the batch lives %v, the claim %v", lives[0], lives[1])
	}
}

// An entry that the upstream has refused is not sent again, also by another replica; a single add
// is.
func TestA09_ARefusedEntryIsNotSentAgain(t *testing.T) {
	t.Parallel()
	full := &apierror.Error{Reason: apierror.ConferenceFull, UpstreamStatus: http.StatusConflict, FromUpstream: true, Message: "full"}
	late := &apierror.Error{Reason: apierror.AddRateLimited, Message: "too late", Dialled: apierror.DialledNo}
	for name, tt := range map[string]struct {
		step        step
		first, want apierror.Reason
	}{
		"refused":  {step{silent: true, fails: full}, apierror.ConferenceFull, apierror.ConferenceFull},
		"not sent": {step{refuses: late}, apierror.AddRateLimited, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			a, b := c.replica("a"), c.replica("b")
			c.upstream.script(tt.step, step{})
			first := a.addAs(a.entry(1, func(bool) {}), alice).wait()
			want(t, first.err, tt.first, apierror.DialledNo)
			second := b.addAs(b.entry(1, func(bool) {}), alice).wait()
			want(t, second.err, tt.want, apierror.DialledNo)
			if n := c.upstream.sendings(); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// An entry that another replica has claimed leaves its turn to the next one.
func TestA09_AnEntryOfAnotherReplicaWaitsForNoTurn(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.replica("a"), c.replica("b")
	answered := make(chan struct{})
	c.upstream.script(step{sends: answered})
	leftA, leftB := make(chan bool, 8), make(chan bool, 8)
	first := a.addAs(a.entry(1, func(sent bool) { leftA <- sent }), alice)
	if !receive(t, leftA) {
		t.Error("the first one was not sent")
	}
	second := b.addAs(b.entry(1, func(sent bool) { leftB <- sent }), alice)
	if receive(t, leftB) {
		t.Error("the second one was sent")
	}
	close(answered)
	want(t, first.wait().err, "", "")
	want(t, second.wait().err, "", "")
	if c.upstream.sendings() != 1 || second.added.Participant.ID != first.added.Participant.ID {
		t.Errorf("sent %d times", c.upstream.sendings())
	}
}

// receive returns what a channel has within a time that is long enough.
func receive(t *testing.T, from <-chan bool) bool {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(5 * time.Second):
		t.Fatal("nothing was received")
		return false
	}
}
