package sharedlog_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
)

// candidate follows a conference and waits for its lease, as a feed does.
type candidate struct {
	log *sharedlog.Log
	// held receives the lease, and at is then when.
	held chan *sharedlog.Lease
	stop func()
}

// candidates start one candidate for each conference, known as waiting.
func (r *replica) candidates(t *testing.T, conferences ...string) []*candidate {
	t.Helper()
	var all []*candidate
	for _, name := range conferences {
		c := &candidate{log: r.Open(name), held: make(chan *sharedlog.Lease, 1)}
		_, unfollow := follow(t, c.log)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if lease, err := c.log.Lead(ctx); err == nil {
				c.held <- lease
			}
		})
		c.stop = func() { cancel(); running.Wait(); unfollow() }
		t.Cleanup(c.stop)
		all = append(all, c)
	}
	return all
}

// slowMachine is added to the bounds of times.
const slowMachine = 2 * time.Second

// waitsFor waits until Redis knows that a replica waits for a lease.
func waitsFor(t *testing.T, server *redistest.Server, id string, conferences ...string) {
	t.Helper()
	for _, name := range conferences {
		eventually(t, id+" waits for "+name, func() bool {
			_, err := server.Client().ZScore(t.Context(), "pgw:log1:u1:"+name+":present", "wait "+id).Result()
			return err == nil
		})
	}
}

func (c *candidate) lease(t *testing.T) *sharedlog.Lease {
	t.Helper()
	select {
	case lease := <-c.held:
		return lease
	case <-time.After(10 * time.Second):
		t.Fatal("no lease in 10 s")
		return nil
	}
}

func isLost(lease *sharedlog.Lease) bool {
	select {
	case <-lease.Lost():
		return true
	default:
		return false
	}
}

func TestR03_LeaseLastsWhileItIsRenewed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	lease := mustLead(t, a.Open(conference))
	waiting := b.candidates(t, conference)[0]
	select {
	case <-lease.Lost():
		t.Error("the lease was lost")
	case <-waiting.held:
		t.Error("two replicas hold the lease")
	case <-time.After(4 * time.Second):
	}
	if a.Held() != 1 || b.Held() != 0 || a.observer.taken != 1 {
		t.Errorf("held: %d and %d", a.Held(), b.Held())
	}
}

func TestR03_AnotherReplicaTakesOver(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, server *redistest.Server, a *replica){
		"killed":      func(_ *testing.T, _ *redistest.Server, a *replica) { a.stop() },
		"cut off":     func(_ *testing.T, _ *redistest.Server, a *replica) { a.proxy.Cut() },
		"stalled":     func(_ *testing.T, _ *redistest.Server, a *replica) { a.proxy.Stall() },
		"flushed":     func(_ *testing.T, server *redistest.Server, a *replica) { a.stop(); server.Flush() },
		"stolen":      func(t *testing.T, server *redistest.Server, _ *replica) { server.Do("DEL", key+"lease") },
		"not a lease": func(t *testing.T, server *redistest.Server, a *replica) { a.stop(); server.Do("SET", key+"lease", "x") },
	}
	for name, fail := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, redistest.Options{})
			a, b := join(t, server, "a"), join(t, server, "b")
			logA := a.Open(conference)
			lease := mustLead(t, logA)
			base := sharedlog.Batch{ID: a.NewID(), Lease: lease, Base: true, Status: []byte("s")}
			head := mustAppend(t, logA, base, sharedlog.Appended)
			waiting := b.candidates(t, conference)[0]
			waitsFor(t, server, "b", conference)

			failed := time.Now()
			fail(t, server, a)
			next := waiting.lease(t)
			took := time.Since(failed)
			t.Logf("the takeover took %v", took)
			if took > 3*time.Second+slowMachine {
				t.Errorf("the takeover took %v", took)
			}
			eventually(t, "the old lease is lost", func() bool { return isLost(lease) })
			if next.Term <= lease.Term {
				t.Errorf("term %d after %d", next.Term, lease.Term)
			}
			if name != "flushed" && (b.observer.takeovers != 1 || next.Head != head) {
				t.Errorf("%d takeovers are counted, the lease's head is %v, want %v", b.observer.takeovers, next.Head, head)
			}
			a.proxy.Restore()
			eventually(t, "the old list is refused", func() bool {
				result, err := logA.Append(t.Context(), sharedlog.Batch{ID: a.NewID(), Expected: head, Lease: lease})
				return err == nil && result.Outcome == sharedlog.Fenced
			})
		})
	}
}

func TestR03_LeaseEndsWithItsRedis(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]func(*redistest.Server){
		"with data":    func(s *redistest.Server) { s.Restart(true) },
		"without data": func(s *redistest.Server) { s.Restart(false) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, redistest.Options{AppendOnly: true})
			a := join(t, server, "a")
			log := a.Open(conference)
			lease := mustLead(t, log)
			base := sharedlog.Batch{ID: a.NewID(), Lease: lease, Base: true}
			head := mustAppend(t, log, base, sharedlog.Appended)
			restart(server)
			eventually(t, "the list is refused", func() bool {
				result, err := log.Append(t.Context(), sharedlog.Batch{ID: a.NewID(), Expected: head, Lease: lease})
				return err == nil && result.Outcome == sharedlog.Fenced
			})
			eventually(t, "the lease is lost", func() bool { return isLost(lease) })
			if next := mustLead(t, log); next.Term <= lease.Term || next.Head != (sharedlog.Head{}) {
				t.Errorf("term %d after %d, head %v", next.Term, lease.Term, next.Head)
			}
		})
	}
}

func TestR03_QueuedListOfAStoppedRedisIsRefused(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	a := join(t, server, "a")
	log := a.Open(conference)
	lease := mustLead(t, log)
	base := sharedlog.Batch{ID: a.NewID(), Lease: lease, Base: true}
	head := mustAppend(t, log, base, sharedlog.Appended)
	server.Pause()
	result, err := log.Append(t.Context(), sharedlog.Batch{ID: a.NewID(), Expected: head, Lease: lease})
	if err == nil {
		t.Fatalf("result = %v", result)
	}
	<-lease.Lost()
	<-time.After(100 * time.Millisecond) // Redis' lease began when the request arrived.
	server.Continue()
	eventually(t, "Redis can be used", a.conn.Available)
	if got := mustLoad(t, log, head); got.State != sharedlog.Unchanged {
		t.Errorf("the list was appended: %v", got)
	}
}

// handOver is less than what is left of a lease that is not released; a slow machine needs most of it.
const handOver = time.Second

func TestR04_ReleaseHandsOverAtOnce(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b, c := join(t, server, "a"), join(t, server, "b"), join(t, server, "c")
	names := conferences(10)
	var leases []*sharedlog.Lease
	for _, name := range names {
		leases = append(leases, mustLead(t, a.Open(name)))
	}
	byB, byC := b.candidates(t, names...), c.candidates(t, names...)
	waitsFor(t, server, "b", names...)
	waitsFor(t, server, "c", names...)
	messages := server.Client().Subscribe(t.Context(), "pgw:log1:u1:"+names[0])
	defer messages.Close()
	if _, err := messages.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.stop() // It does not correct the count.
	released := time.Now()
	for _, lease := range leases {
		if err := lease.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !isLost(lease) {
			t.Error("a released lease goes on")
		}
	}
	// Without this message the others would notice the free lease too, but later.
	select {
	case message := <-messages.Channel():
		if message.Payload != "4:free0:" {
			t.Errorf("message %q after a release", message.Payload)
		}
	case <-time.After(slowMachine):
		t.Error("no message after a release")
	}
	held := takers(byB, byC)
	if took := time.Since(released); took > handOver {
		t.Errorf("the hand-over took %v", took)
	}
	if count := server.Client().HGet(t.Context(), "pgw:log1:u1:leases", "a").Val(); !strings.HasPrefix(count, "0 ") {
		t.Errorf("a holds %s", count)
	}
	if a.Held() != 0 || held[0] != 5 || held[1] != 5 {
		t.Errorf("leases after the hand-over: a %d, b and c %v", a.Held(), held)
	}
	if err := leases[0].Release(t.Context()); err != nil {
		t.Error(err)
	}
	if n := server.Client().Exists(t.Context(), "pgw:log1:u1:"+names[0]+":lease").Val(); n != 1 {
		t.Error("a second release has freed another's lease")
	}
}

func conferences(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("conf%d", i))
	}
	return names
}

// takers waits until each conference has a holder, and returns how many of the leases each
// replica took. If none is taken within a second it returns.
func takers(replicas ...[]*candidate) []int {
	counts := make([]int, len(replicas))
	for i := range replicas[0] {
		select {
		case <-replicas[0][i].held:
			counts[0]++
		case <-replicas[1][i].held:
			counts[1]++
		case <-time.After(3500 * time.Millisecond):
			return counts
		}
	}
	return counts
}

func TestR01_FreeLeaseGoesToTheReplicaWithTheFewest(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b, c := join(t, server, "a"), join(t, server, "b"), join(t, server, "c")
	for i := range 4 {
		mustLead(t, b.Open(fmt.Sprintf("b%d", i)))
	}
	names := conferences(10)
	for _, name := range names {
		mustLead(t, a.Open(name))
	}
	byB, byC := b.candidates(t, names...), c.candidates(t, names...)
	waitsFor(t, server, "b", names...)
	waitsFor(t, server, "c", names...)
	a.stop() // Killed: nothing is released.
	held := takers(byB, byC)
	if b.Held() != 7 || c.Held() != 7 {
		t.Errorf("b holds %d, c %d; taken: %v", b.Held(), c.Held(), held)
	}
}

// TestR01_ANewLeaseIsLeftToReplicasThatHoldFewer has nobody else wait for the lease: a watcher may have
// just reached another replica.
func TestR01_ANewLeaseIsLeftToReplicasThatHoldFewer(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	eventually(t, "both are known", func() bool { return server.Do("HLEN", "pgw:log1:u1:leases") == int64(2) })
	mustLead(t, a.Open("other"))
	// On a slow machine the other replica may be taken for dead meanwhile.
	held := 1
	eventually(t, "the replica with more leases waits before it takes one", func() bool {
		began := time.Now()
		mustLead(t, a.Open(fmt.Sprint(conference, held)))
		held++
		return time.Since(began) >= 150*time.Millisecond
	})
	if a.Held() != held || b.Held() != 0 {
		t.Errorf("held: %d and %d", a.Held(), b.Held())
	}
}

func TestR01_StoppedCandidateHoldsUpNobody(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b, c := join(t, server, "a"), join(t, server, "b"), join(t, server, "c")
	lease := mustLead(t, a.Open(conference))
	mustLead(t, b.Open("other"))
	byB, byC := b.candidates(t, conference)[0], c.candidates(t, conference)[0]
	waitsFor(t, server, "b", conference)
	waitsFor(t, server, "c", conference)
	c.proxy.Stall()
	released := time.Now()
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	byB.lease(t)
	if took := time.Since(released); took > handOver {
		t.Errorf("the hand-over took %v", took)
	}
	c.proxy.Restore()
	select {
	case <-byC.held:
		t.Error("two replicas hold the lease")
	case <-time.After(time.Second):
	}
}

func TestLeadEndsWithItsContext(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	mustLead(t, a.Open(conference))
	waiting := b.candidates(t, conference)[0]
	waiting.stop()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if lease, err := b.Open("other").Lead(cancelled); err == nil {
		t.Errorf("lease = %v", lease)
	}
	if n := server.Client().Exists(t.Context(), "pgw:log1:u1:other:lease").Val(); n != 0 || b.Held() != 0 {
		t.Error("a lease that nobody knows is held")
	}
}
