package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchclient"
)

// sharedStateUnavailable is the reason of R8.
const sharedStateUnavailable = "SHARED_STATE_UNAVAILABLE"

// addCalls are the calls for one add.
type addCalls int

const (
	anonymous addCalls = iota // One, without a request id.
	single                    // One, with a request id.
	repeated                  // Another one with the request id, at another replica, after the first.
	together                  // The same at the same time.
	anyCalls
)

// addAtReplicas adds a participant by one call or two (R6).
func (w *writers) addAtReplicas(ctx context.Context, conference string, calls addCalls, rng *rand.Rand) {
	began := time.Now()
	a := w.newAdd(conference)
	holders := w.harness.cluster.pickTwo()
	overREST := rng.IntN(2) == 0
	got := make([]answer, 2)
	call := func(n int) { got[n] = w.callReplica(ctx, holders[n], a, overREST == (n == 0)) }
	switch calls {
	case anonymous, single:
		a.anonymous = calls == anonymous
		call(0)
		return
	case repeated:
		call(0)
		call(1)
	default:
		var both sync.WaitGroup
		both.Go(func() { call(0) })
		both.Go(func() { call(1) })
		both.Wait()
	}
	w.harness.results.check("request ids used at two replicas", 1)
	w.mu.Lock()
	a.excused = w.harness.cluster.mayForget(began, holders)
	w.mu.Unlock()
	if got[0].id != "" && got[1].id != "" && got[0].id != got[1].id && !a.excused {
		w.harness.results.violatef(inconsistentMessages, "one request id gave %v", got)
	}
}

// mayForget reports whether the outcome of an add may be lost: Redis lost its data without a
// notice, or with it and a replica that held the claim has ended (R6; docs/operations.md).
func (c *cluster) mayForget(since time.Time, holders []*gateway) bool {
	ended := slices.ContainsFunc(holders, func(g *gateway) bool { return g.ending.Load() })
	return c.any(since, time.Now(), 0, claimsLost) || ended && c.any(since, time.Now(), 0, dataLost)
}

// callReplica calls, and checks that only a replica without Redis says that it has none (R8).
func (w *writers) callReplica(ctx context.Context, g *gateway, a *add, overREST bool) answer {
	began := time.Now()
	got := w.call(ctx, g, a, overREST)
	if !strings.HasSuffix(got.code, sharedStateUnavailable) {
		return got
	}
	disturbed := w.harness.cluster.any(began, time.Now(), 5*time.Second, oneReplica, allReplicas, dataLost)
	if a.anonymous || !disturbed || got.dialled != "unknown" && got.dialled != dialledNo {
		w.harness.results.violatef(wrongAnswers, "%s, with a request id: %t, faults at that time: %t: %v",
			callerName(a.phone), !a.anonymous, disturbed, got)
	}
	return got
}

func (w *writers) newAdd(conference string) *add {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := &add{conference: conference, phone: fmt.Sprintf("%s%04d", dialledNumbers, len(w.adds))}
	w.adds = append(w.adds, a)
	return a
}

// burst adds many participants at once, more than may be added in two seconds (R5).
func burst(ctx context.Context, w *harness, rng *rand.Rand) error {
	w.startAdds(ctx, 25, anonymous, rng)()
	return nil
}

// startAdds adds participants at the same time, by calls of a kind and those after it; wait returns
// when all calls have ended.
func (w *harness) startAdds(ctx context.Context, n int, from addCalls, rng *rand.Rand) (wait func()) {
	var calls sync.WaitGroup
	for range n {
		own := rand.New(rand.NewPCG(rng.Uint64(), 0))
		calls.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, callsWithin)
			defer cancel()
			w.writers.addAtReplicas(ctx, burstConference, from+addCalls(own.IntN(int(anyCalls-from))), own)
		})
	}
	return calls.Wait
}

// failWithAdds makes a replica fail while the upstream has dialled, but has not answered yet: the
// others look for the participants (R6).
func failWithAdds(fail replicaFault) replicaFault {
	const adds = 16
	return func(ctx context.Context, w *harness, r *replica, rng *rand.Rand) error {
		over := w.cluster.begin(upstreamBad)
		defer over()
		w.upstream.Inject(simulator.Fault{Kind: simulator.FaultLate, Operation: simulator.Add, Latency: time.Second, Times: adds})
		before := len(w.upstream.arrivals.of(simulator.Add, ""))
		wait := w.startAdds(ctx, adds, repeated, rng)
		underWay := eventually(ctx, 5*time.Second, func() bool { return len(w.upstream.arrivals.of(simulator.Add, "")) >= before+6 })
		err := fail(ctx, w, r, rng)
		wait()
		w.upstream.ClearFaults()
		if !underWay && err == nil {
			return errors.New("no adds were under way")
		}
		return err
	}
}

// burstConference is not watched.
const burstConference = "conf_burst"

// controls are those that writers send.
var controls = []string{"mute", "unmute", "hold", "resume"}

// control sends a control of a participant.
func (w *writers) control(ctx context.Context, conference, id string, rng *rand.Rand) {
	g, name := w.harness.pick(), controls[rng.IntN(len(controls))]
	send := controlOverGRPC
	if name == "hold" {
		w.harness.observations.hold(id)
	}
	overREST := rng.IntN(2) == 0
	if overREST {
		send = controlOverREST
	}
	code := send(ctx, g, name, conference, id)
	w.harness.results.call("controls", transportName(overREST)+code)
	if isNotFound(code) && slices.Contains(w.present(conference), id) {
		w.harness.results.violatef(falseNotFound, "%s of %s, which is present: %s", name, id, code)
	}
}

func controlOverGRPC(ctx context.Context, g *gateway, name, conference, id string) string {
	var err error
	switch name {
	case "mute":
		_, err = g.client.MuteParticipant(ctx, &v2.MuteParticipantRequest{ConferenceId: conference, ParticipantId: id})
	case "unmute":
		_, err = g.client.UnmuteParticipant(ctx, &v2.UnmuteParticipantRequest{ConferenceId: conference, ParticipantId: id})
	case "hold":
		_, err = g.client.HoldParticipant(ctx, &v2.HoldParticipantRequest{ConferenceId: conference, ParticipantId: id})
	default:
		_, err = g.client.ResumeParticipant(ctx, &v2.ResumeParticipantRequest{ConferenceId: conference, ParticipantId: id})
	}
	return join(status.Code(err).String(), watchclient.ReasonOf(err))
}

func controlOverREST(ctx context.Context, g *gateway, name, conference, id string) string {
	code, text, err := g.send(ctx, http.MethodPost, pathOf(conference)+"/"+id+"/"+name, "")
	switch {
	case err != nil:
		return "no answer"
	case code < http.StatusBadRequest:
		return strconv.Itoa(code)
	default:
		return join(strconv.Itoa(code), watchclient.ReasonOf(watchclient.FailureOf(text)))
	}
}
