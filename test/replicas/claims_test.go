package replicas_test

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchclient"
)

// result is the outcome of an add.
type result struct {
	id, reason, dialled string
	replayed            bool
	err                 error
}

// addNamed adds a participant under a request id; a call may wait longer than others.
func (r *replica) addNamed(conference string, n int, requestID string) result {
	ctx, cancel := context.WithTimeout(context.Background(), 2*timeout)
	defer cancel()
	var head metadata.MD
	response, err := r.GRPC.AddParticipant(ctx, &v2.AddParticipantRequest{
		ConferenceId: conference, PhoneNumber: phone(n), Name: fmt.Sprintf("Caller %d", n), RequestId: requestID,
	}, grpc.Header(&head))
	reason, dialled := watchclient.InfoOf(err)
	return result{response.GetParticipant().GetId(), reason, dialled, len(head.Get("idempotency-replayed")) > 0, err}
}

// addSame is addNamed with the same arguments each time.
func (r *replica) addSame(conference string) result { return r.addNamed(conference, 1, "request-1") }

// goAdd is addSame in a goroutine.
func (r *replica) goAdd(conference string) <-chan result {
	done := make(chan result, 1)
	go func() { done <- r.addSame(conference) }()
	return done
}

// dialled returns the participants whom addSame added.
func (c *cluster) dialled() (ids []string) {
	for _, dial := range c.upstream.Dials() {
		if dial.PhoneNumber == phone(1) {
			ids = append(ids, dial.Participant)
		}
	}
	return ids
}

// expectOneDial fails the test unless one participant was dialled, and all results are that one.
func (c *cluster) expectOneDial(results ...result) {
	c.t.Helper()
	ids := c.dialled()
	if len(ids) != 1 {
		c.t.Fatalf("dialled %v", ids)
	}
	for i, got := range results {
		if got.id != ids[0] {
			c.t.Errorf("result %d is %+v, dialled was %s", i, got, ids[0])
		}
	}
}

// awaitClaims waits until Redis has so many claims in a state.
func (c *cluster) awaitClaims(state string, want int) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("%d claims are %s", want, state), func() bool {
		found := 0
		for _, key := range c.keys(redisPrefix + "claim:id:*") {
			if c.redis.Client().HGet(c.context(), key, "state").Val() == state {
				found++
			}
		}
		return found == want
	})
}

// occupy sends so many adds at a replica that later ones wait for seconds.
func (r *replica) occupy(conference string) (wait func()) {
	var calls sync.WaitGroup
	began := time.Now()
	for n := range 40 {
		calls.Go(func() { r.addNamed(conference, 100+n, "") })
	}
	eventually(r.cluster.t, "the adds of a second are sent", func() bool { return len(r.cluster.upstream.adds(began)) >= 10 })
	return calls.Wait
}

// TestR06_AnUnmarkedClaimIsTakenOver makes a replica fail whose add waits for its turn. Another
// one sends it; when the first one wakes up, its mark is refused.
func TestR06_AnUnmarkedClaimIsTakenOver(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fail  func(*replica)
		wakes bool
	}{
		"killed":  {func(r *replica) { r.kill() }, false},
		"stopped": {func(r *replica) { r.stop() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const conference = "conf_unmarked"
			c := start(t, 2, options{simulator: unlimited})
			wait := c.replicas[0].occupy(conference)
			first := c.replicas[0].goAdd(conference)
			c.awaitClaims("claimed", 1)
			test.fail(c.replicas[0])
			if ids := c.dialled(); len(ids) != 0 {
				t.Fatalf("the add was sent before the replica failed: %v", ids)
			}
			results := []result{c.replicas[1].addSame(conference)}
			if test.wakes {
				c.replicas[0].resume()
				results = append(results, <-first, c.replicas[0].addSame(conference))
			}
			wait()
			c.expectOneDial(results...)
		})
	}
}

// TestR06_AMarkedClaimIsNeverSentAgain makes a replica hang or lose Redis after it has sent an add.
func TestR06_AMarkedClaimIsNeverSentAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ fail, back func(*replica) }{
		"stopped":        {func(r *replica) { r.stop() }, func(r *replica) { r.resume() }},
		"cut off":        {func(r *replica) { r.network.Cut() }, func(r *replica) { r.network.Restore() }},
		"without answer": {func(r *replica) { r.network.Stall() }, func(r *replica) { r.network.Restore() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const conference = "conf_marked"
			c := start(t, 2, options{simulator: unlimited})
			began := time.Now()
			c.upstream.Inject(simulator.Fault{Kind: simulator.FaultLate, Operation: simulator.Add, Latency: time.Second, Times: 1})
			first := c.replicas[0].goAdd(conference)
			eventually(t, "the add is sent", func() bool { return len(c.upstream.adds(began)) == 1 })
			test.fail(c.replicas[0])
			second := c.replicas[1].addSame(conference)
			test.back(c.replicas[0])
			results := []result{second, <-first, c.replicas[1].addSame(conference)}
			eventually(t, "the first replica answers too", func() bool {
				again := c.replicas[0].addSame(conference)
				results = append(results, again)
				return again.reason != away
			})
			if n := len(c.upstream.adds(began)); n != 1 {
				t.Errorf("%d adds were sent", n)
			}
			for i, got := range results {
				if got.reason == away && got.dialled != "unknown" {
					t.Errorf("result %d: %+v", i, got)
				}
			}
			c.expectOneDial(append([]result{second}, results[len(results)-1])...)
		})
	}
}

// TestR06_ALivingHolderKeepsItsClaims replaces Redis by an empty one.
func TestR06_ALivingHolderKeepsItsClaims(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"before the add is answered": true, "after the add was answered": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const conference = "conf_kept"
			c := start(t, 2, options{simulator: unlimited})
			began := time.Now()
			if before {
				c.upstream.Inject(simulator.Fault{Kind: simulator.FaultLate, Operation: simulator.Add, Latency: time.Second, Times: 1})
			}
			first := c.replicas[0].goAdd(conference)
			eventually(t, "the add is sent", func() bool { return len(c.upstream.adds(began)) == 1 })
			results := []result{}
			if !before {
				results = append(results, <-first)
			}
			c.redis.Restart(false)
			var again result
			eventually(t, "the request id is answered", func() bool {
				again = c.replicas[1].addSame(conference)
				return again.reason != away
			})
			if before {
				results = append(results, <-first)
			}
			c.expectOneDial(append(results, again)...)
		})
	}
}

// TestR06_OneOutcomeOverBothTransports repeats a request id of REST's header at another replica.
func TestR06_OneOutcomeOverBothTransports(t *testing.T) {
	t.Parallel()
	const conference = "conf_rest"
	c := start(t, 2, options{simulator: unlimited})
	first := c.replicas[0].addSame(conference)
	body := fmt.Sprintf(`{"phone_number":%q,"name":"Caller 1"}`, phone(1))
	request, err := http.NewRequestWithContext(c.context(), http.MethodPost,
		"http://"+c.replicas[1].HTTPAddr+"/v2/conferences/"+conference+"/participants", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", "request-1")
	response, err := c.replicas[1].HTTP.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s, Idempotency-Replayed: %q", response.Status, response.Header.Get("Idempotency-Replayed"))
	}
	c.expectOneDial(first)
}

// TestR06_ARefusedAddIsRefusedForAll makes the upstream refuse an add that two replicas were asked
// for at once: neither dials, and the request id may be tried again.
func TestR06_ARefusedAddIsRefusedForAll(t *testing.T) {
	t.Parallel()
	const conference = "conf_refused"
	c := start(t, 2, options{simulator: unlimited})
	c.upstream.Inject(simulator.Fault{Kind: simulator.FaultLatency, Operation: simulator.Add, Latency: 700 * time.Millisecond, Times: 1})
	c.upstream.Inject(simulator.Fault{
		Kind: simulator.FaultStatus, Operation: simulator.Add, Status: http.StatusPaymentRequired, Body: simulator.VendorBody, Times: 1,
	})
	began := time.Now()
	first := c.replicas[0].goAdd(conference)
	c.awaitClaims("marked", 1)
	second := c.replicas[1].goAdd(conference)
	a, b := <-first, <-second
	if a.reason != b.reason || a.dialled != b.dialled || a.id != b.id {
		t.Errorf("two outcomes: %+v, %+v", a, b)
	}
	if n := len(c.upstream.adds(began)); n != 1 {
		t.Errorf("%d adds were sent", n)
	}
	if a.dialled != "no" {
		t.Errorf("refused: %+v", a)
	}
	if again := c.replicas[1].addSame(conference); again.err != nil {
		t.Errorf("again: %v", again.err)
	}
}

// TestR07_TheLastAddIsShared answers lists 404 after an add at another replica: that is lag (W1).
func TestR07_TheLastAddIsShared(t *testing.T) {
	t.Parallel()
	const conference = "conf_lag"
	c := start(t, 2, options{simulator: unlimited})
	if got := c.replicas[0].addNamed(conference, 1, ""); got.err != nil {
		t.Fatal(got.err)
	}
	c.upstream.Inject(simulator.Fault{
		Kind: simulator.FaultStatus, Operation: simulator.List, Status: http.StatusNotFound, Body: simulator.VendorBody, Times: 3,
	})
	c.watch(c.replicas[1], conference)
	c.converge()
}

// TestR10_CallersKeysStayInTheProcess reads all that is sent to Redis and kept there while callers
// use their keys.
func TestR10_CallersKeysStayInTheProcess(t *testing.T) {
	t.Parallel()
	const conference = "conf_keys"
	file, key := keysFile(t)
	c := start(t, 2, options{
		simulator: unlimited, redis: redistest.Options{Config: uncompressed},
		flags: []string{"--auth=keys", "--auth-keys-file=" + file},
	})
	sent := c.monitor("")
	for n, r := range c.replicas {
		ctx := metadata.AppendToOutgoingContext(c.context(), "authorization", "Bearer "+key)
		for _, requestID := range []string{"", "request-1"} {
			if _, err := r.GRPC.AddParticipant(ctx, &v2.AddParticipantRequest{
				ConferenceId: conference, PhoneNumber: phone(1), Name: "Caller 1", RequestId: requestID,
			}); err != nil {
				t.Fatalf("add at replica %d: %v", n, err)
			}
		}
		stream, err := r.GRPC.WatchParticipants(ctx, &v2.WatchParticipantsRequest{ConferenceId: conference})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatalf("watch at replica %d: %v", n, err)
		}
	}
	if dials := len(c.upstream.Dials()); dials != 3 {
		t.Errorf("%d dials", dials)
	}
	for _, r := range c.replicas {
		r.kill()
	}
	text := c.dump(sent())
	for _, hidden := range []string{key, tokenOf(0), tokenOf(1)} {
		expectNo(t, text, hidden)
	}
}

// keysFile returns a file with the key of one caller.
func keysFile(t *testing.T) (path, key string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys.json")
	out, err := exec.Command(program, "keys", "add", "--file="+path, "--name=caller", "--role=writer").Output()
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	return path, strings.TrimSpace(string(out))
}
