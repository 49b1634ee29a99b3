package replicas_test

import (
	"fmt"
	"net/http"
	"slices"
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

// unlimited is an upstream without a limit of its own: the gateway's is measured.
var unlimited = simulator.Options{Behaviour: simulator.Still, MaxParticipants: 1000, AddsPerSecond: -1}

// TestR05_TenAddsASecondOverAll sends adds through three replicas at once, two conferences each.
func TestR05_TenAddsASecondOverAll(t *testing.T) {
	t.Parallel()
	const adds = 45
	c := start(t, 3, options{simulator: unlimited})
	began := time.Now()
	var calls sync.WaitGroup
	for n := range adds {
		calls.Go(func() {
			if _, err := c.replicas[n%3].add(fmt.Sprintf("conf_%d", n%2), n, ""); err != nil {
				t.Errorf("add %d: %v", n, err)
			}
		})
	}
	calls.Wait()
	found := c.upstream.adds(began)
	if len(found) != adds {
		t.Fatalf("%d adds upstream, want %d", len(found), adds)
	}
	for i := 10; i < len(found); i++ {
		// A slow machine may delay the earlier of two requests.
		if apart := found[i].began.Sub(found[i-10].began); apart+stalls.since(found[i-10].began) < 900*time.Millisecond {
			t.Errorf("adds %d and %d are %s apart", i-10, i, apart)
		}
	}
	if took := found[len(found)-1].began.Sub(began); took > 7*time.Second+stalls.since(began) {
		t.Errorf("%d adds took %s: the budget was not used", adds, took)
	}
	byReplica := map[int]int{}
	for _, r := range found[:30] {
		byReplica[r.replica]++
	}
	for n := range c.replicas {
		if byReplica[n] < 5 {
			t.Errorf("of the first 30 adds, by replica: %v", byReplica)
		}
	}
}

// TestR05_APollBudgetOverAll has more conferences than the rate can poll each second.
func TestR05_OnePollRateOverAll(t *testing.T) {
	t.Parallel()
	const rate = 10
	conferences := conferenceNames(9)
	c := start(t, 3, options{simulator: still, flags: []string{fmt.Sprintf("--poll-rate=%d", rate)}})
	c.watchEach(conferences, c.replicas...)
	began := time.Now()
	<-time.After(5 * time.Second)
	total, fewest := 0, 1000
	for _, conference := range conferences {
		lists := len(c.upstream.lists(conference, began))
		total, fewest = total+lists, min(fewest, lists)
	}
	if seconds := time.Since(began).Seconds(); float64(total) > rate*(seconds+1) {
		t.Errorf("%d lists in %.1f s", total, seconds)
	}
	if 2*fewest*len(conferences) < total {
		t.Errorf("a conference was listed %d times only, of %d lists", fewest, total)
	}
}

// TestR05_A429SlowsEveryReplica answers one replica's poll 429.
func TestR05_A429SlowsEveryReplica(t *testing.T) {
	t.Parallel()
	// learnt is when all know of the refusal.
	const pause, learnt = 3 * time.Second, 300 * time.Millisecond
	conferences := conferenceNames(6)
	c := start(t, 3, options{simulator: still})
	c.watchEach(conferences, c.replicas...)
	c.upstream.Inject(simulator.Fault{
		Kind: simulator.FaultStatus, Operation: simulator.List, Status: 429, RetryAfter: fmt.Sprint(pause.Seconds()), Body: simulator.VendorBody, Times: 1,
	})
	var refused time.Time
	eventually(t, "a list is refused", func() bool {
		for _, request := range c.upstream.History() {
			if request.Status == http.StatusTooManyRequests {
				refused = request.Time
			}
		}
		return !refused.IsZero()
	})
	for _, conference := range conferences {
		var next []request
		eventually(t, "a list of "+conference, func() bool {
			next = c.upstream.lists(conference, refused.Add(learnt+stalls.since(refused)))
			return len(next) > 0
		})
		if after := next[0].began.Sub(refused); after < pause-200*time.Millisecond {
			t.Errorf("%s was listed by replica %d %s after a 429", conference, next[0].replica, after)
		}
	}
}

// TestR06_OneRequestIDDialsOnce sends the same request id to all replicas at once.
func TestR06_OneRequestIDDialsOnce(t *testing.T) {
	t.Parallel()
	const conference = "conf_once"
	c := start(t, 3, options{simulator: unlimited})
	c.upstream.Inject(simulator.Fault{Kind: simulator.FaultLate, Operation: simulator.Add, Latency: 500 * time.Millisecond})
	var calls sync.WaitGroup
	ids, replayed := make([]string, 9), make([]bool, 9)
	for n := range ids {
		calls.Go(func() {
			var head metadata.MD
			response, err := c.replicas[n%3].GRPC.AddParticipant(c.context(), &v2.AddParticipantRequest{
				ConferenceId: conference, PhoneNumber: phone(1), Name: "Caller", RequestId: "request-1",
			}, grpc.Header(&head))
			if err != nil {
				t.Errorf("call %d: %v", n, err)
			}
			ids[n], replayed[n] = response.GetParticipant().GetId(), slices.Equal(head.Get("idempotency-replayed"), []string{"true"})
		})
	}
	calls.Wait()
	if len(slices.Compact(slices.Clone(ids))) != 1 || ids[0] == "" {
		t.Errorf("participants: %v", ids)
	}
	if dials := c.upstream.Dials(); len(dials) != 1 {
		t.Errorf("%d dials", len(dials))
	}
	if originals := len(slices.DeleteFunc(replayed, func(r bool) bool { return r })); originals != 1 {
		t.Errorf("%d responses without idempotency-replayed, want 1", originals)
	}
	_, err := c.replicas[1].add(conference, 2, "request-1")
	if reason := watchclient.ReasonOf(err); reason != "REQUEST_ID_REUSED" {
		t.Errorf("other arguments: %v", err)
	}
}

// TestR06_AHolderThatDies kills the replica that has sent an add and waits for its answer. Another
// answers the same request id: with the participant, or that the outcome is unknown.
func TestR06_AHolderThatDies(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]simulator.FaultKind{
		"after the upstream has dialled": simulator.FaultLate, "before the upstream dials": simulator.FaultLatency,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const conference = "conf_dies"
			c := start(t, 2, options{simulator: unlimited})
			c.upstream.Inject(simulator.Fault{Kind: kind, Operation: simulator.Add, Latency: 5 * time.Second, Times: 1})
			began := time.Now()
			var call sync.WaitGroup
			call.Go(func() { _, _ = c.replicas[0].add(conference, 1, "request-1") })
			eventually(t, "the add is sent", func() bool { return len(c.upstream.adds(began)) == 1 })
			c.replicas[0].kill()
			call.Wait()
			added, err := c.replicas[1].add(conference, 1, "request-1")
			dials := c.upstream.Dials()
			switch reason := watchclient.ReasonOf(err); {
			case len(c.upstream.adds(began)) != 1:
				t.Errorf("a marked claim was sent again")
			case err == nil && (len(dials) != 1 || dials[0].Participant != added.GetId()):
				t.Errorf("answered %v, dialled %v", added, dials)
			case err != nil && reason != "ADD_OUTCOME_UNKNOWN":
				t.Errorf("answered %v", err)
			case err != nil && len(dials) == 1:
				t.Errorf("answered %v although lists show the participant", err)
			}
		})
	}
}

// TestR06_AClaimOutlivesItsReplica repeats a request id after its replica has ended.
func TestR06_AClaimOutlivesItsReplica(t *testing.T) {
	t.Parallel()
	const conference = "conf_kept"
	c := start(t, 2, options{simulator: unlimited})
	first, err := c.replicas[0].add(conference, 1, "request-1")
	if err != nil {
		t.Fatal(err)
	}
	c.replicas[0].kill()
	second, err := c.replicas[1].add(conference, 1, "request-1")
	if err != nil || second.GetId() != first.GetId() || len(c.upstream.Dials()) != 1 {
		t.Errorf("got %v, %v after %v", second, err, first)
	}
}

// TestR06_AClaimIsAcknowledgedByAReplicaOfRedis takes the replica of Redis away.
func TestR06_AClaimIsAcknowledgedByAReplicaOfRedis(t *testing.T) {
	t.Parallel()
	const conference = "conf_acknowledged"
	c := start(t, 2, options{simulator: unlimited})
	copied := redistest.Start(t, redistest.Options{})
	copied.ReplicaOf(c.redis)
	c.redis.Do("CONFIG", "RESETSTAT")
	dialled := 0
	eventually(t, "an add is acknowledged", func() bool {
		dialled++
		if _, err := c.replicas[0].add(conference, dialled, fmt.Sprintf("request-%d", dialled)); err != nil {
			t.Fatal(err)
		}
		stats, _ := c.redis.Do("INFO", "commandstats").(string)
		return strings.Contains(stats, "cmdstat_wait:")
	})
	copied.Pause()
	defer copied.Continue()
	_, err := c.replicas[0].add(conference, 1000, "request-1000")
	if reason, said := watchclient.InfoOf(err); reason != away || said != "no" {
		t.Errorf("without an acknowledgement: %v, %s, dialled=%s", err, reason, said)
	}
	if dials := c.upstream.Dials(); len(dials) != dialled {
		t.Errorf("%d dials, want %d", len(dials), dialled)
	}
}

// TestR10_OneExchangeForAllReplicas uses an API key: its token is shared, but not in the clear.
func TestR10_OneExchangeForAllReplicas(t *testing.T) {
	t.Parallel()
	const conference, key = "conf_exchange", "secret-api-key-of-the-gateway"
	exchanging := unlimited
	exchanging.APIKeys = []string{key}
	c := start(t, 3, options{simulator: exchanging, redis: redistest.Options{Config: uncompressed}, env: []string{"AUDIAN_API_KEY=" + key}})
	sent := c.monitor("")
	c.watchEach([]string{conference}, c.replicas...)
	for n, r := range c.replicas {
		if _, err := r.add(conference, n, ""); err != nil {
			t.Errorf("add at replica %d: %v", n, err)
		}
	}
	exchanges, tokens := 0, map[string]bool{}
	for _, r := range c.upstream.all() {
		if r.token == "" {
			exchanges++
		} else {
			tokens[r.token] = true
		}
	}
	if exchanges != 1 || len(tokens) != 1 {
		t.Errorf("%d exchanges, %d tokens", exchanges, len(tokens))
	}
	text := c.dump(sent())
	tokens[key] = true
	for secret := range tokens {
		expectNo(t, text, secret)
	}
}
