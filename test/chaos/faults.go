package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// faultKinds are the simulator's faults; each has its experiment.
var faultKinds = []simulator.FaultKind{
	simulator.FaultLatency, simulator.FaultLate, simulator.FaultStatus, simulator.FaultErrorEnvelope,
	simulator.FaultRedirect, simulator.FaultCut, simulator.FaultLost, simulator.FaultReset,
	simulator.FaultGarbage, simulator.FaultPartial, simulator.FaultShift, simulator.FaultTotal,
	simulator.FaultUnusualJSON, simulator.FaultDetached,
}

// operations are those that a fault of a kind is injected into.
var operations = []simulator.Operation{simulator.List, simulator.Add, simulator.Remove}

// statuses are answers by operation. A vendor-shaped refusal would end a conference (W11),
// so that lists get HTML. An Add that was performed gets no answer that means it was not
// (A1).
var statuses = map[simulator.Operation][]simulator.Fault{
	simulator.List: {
		{Status: http.StatusInternalServerError},
		{Status: http.StatusBadGateway, Body: simulator.HTMLBody},
		{Status: http.StatusServiceUnavailable, Body: simulator.EmptyBody, RetryAfter: "1"},
		{Status: http.StatusTooManyRequests, RetryAfter: "1"},
		{Status: http.StatusUnauthorized},
		{Status: http.StatusForbidden, Body: simulator.HTMLBody},
		{Status: http.StatusNotFound, Body: simulator.HTMLBody},
		{Status: http.StatusNotFound, Body: simulator.EmptyBody},
	},
	simulator.Add: {
		{Status: http.StatusInternalServerError, Body: simulator.FailureBody},
		{Status: http.StatusBadGateway, Body: simulator.HTMLBody, Handled: true},
		{Status: http.StatusServiceUnavailable, Handled: true},
		{Status: http.StatusRequestTimeout, Handled: true},
		{Status: http.StatusTooManyRequests, RetryAfter: "1"},
		{Status: http.StatusConflict},
		{Status: http.StatusPaymentRequired, Body: simulator.ObjectBody},
	},
	simulator.Remove: {
		{Status: http.StatusServiceUnavailable, Handled: true},
		{Status: http.StatusInternalServerError},
		{Status: http.StatusTooManyRequests, RetryAfter: "1"},
	},
}

// garbage is what lists answer instead of a roster. None of it is a complete list.
var garbage = []string{
	"", `null`, `{}`, `[]`, `"participants"`, `{"participants": [{"id": "part_`, `{"participants":[1]}`,
	`{"participants":[],"total":40}`, `{"participants":{"id":"part_0"}}`, `<html></html>`,
	`{"participants":[{"id":7,"status":"connected"}]}`, "{\"participants\":[\"\xff\"]}",
}

// injectFaults injects the faults of a kind, and waits until they have taken effect.
func injectFaults(kind simulator.FaultKind) func(context.Context, *harness, *rand.Rand) error {
	return func(ctx context.Context, w *harness, rng *rand.Rand) error {
		before := w.results.faultCount("upstream " + string(kind))
		for _, fault := range faultsOf(kind, w.redirectTarget.addr, rng) {
			w.upstream.Inject(fault)
		}
		pause(ctx, 500*time.Millisecond)
		eventually(ctx, 6*time.Second, func() bool { return len(w.upstream.Faults()) == 0 })
		w.upstream.ClearFaults()
		// A request counts when it ends, which a delayed one does late.
		if !eventually(ctx, 10*time.Second, func() bool { return w.results.faultCount("upstream "+string(kind)) > before }) {
			return errors.New("no request met the fault")
		}
		return nil
	}
}

// faultsOf draws the faults of a kind. A second shift could hide the same participant from
// two lists in a row, which would be proof that it left (W7).
func faultsOf(kind simulator.FaultKind, redirectTarget string, rng *rand.Rand) []simulator.Fault {
	switch kind {
	case simulator.FaultPartial:
		// Two lists in a row of two conferences: proof (W7), if their total were not larger.
		return []simulator.Fault{{Kind: kind, Times: 12, By: 1 + rng.IntN(3)}}
	case simulator.FaultTotal:
		return []simulator.Fault{{Kind: kind, Times: 12, By: []int{-1, 1, 3}[rng.IntN(3)]}}
	case simulator.FaultUnusualJSON:
		return []simulator.Fault{{Kind: kind, Times: 12}}
	case simulator.FaultShift:
		return []simulator.Fault{{Kind: kind, Times: 1, By: []int{-1, 1, 2}[rng.IntN(3)]}}
	default:
		return faultsByOperation(kind, redirectTarget, rng)
	}
}

func faultsByOperation(kind simulator.FaultKind, redirectTarget string, rng *rand.Rand) (faults []simulator.Fault) {
	for _, operation := range operations {
		fault := faultOf(kind, operation, redirectTarget, rng)
		fault.Kind, fault.Operation, fault.Times = kind, operation, 1+rng.IntN(2)
		faults = append(faults, fault)
	}
	// Some polls exceed the time-out of a poll (W10).
	if kind == simulator.FaultLatency && rng.IntN(2) == 0 {
		faults[slices.Index(operations, simulator.List)].Latency = 6 * time.Second
	}
	return faults
}

// faultOf draws what is particular to a kind.
func faultOf(kind simulator.FaultKind, operation simulator.Operation, redirectTarget string, rng *rand.Rand) (fault simulator.Fault) {
	switch kind {
	case simulator.FaultStatus:
		fault = statuses[operation][rng.IntN(len(statuses[operation]))]
	case simulator.FaultLatency, simulator.FaultLate, simulator.FaultDetached:
		fault.Latency = time.Duration(300+rng.IntN(3000)) * time.Millisecond
	case simulator.FaultErrorEnvelope:
		fault.Status = []int{0, 500, 503}[rng.IntN(3)]
		fault.Handled = rng.IntN(2) == 0
	case simulator.FaultRedirect:
		fault.Location = "http://" + redirectTarget + "/v2"
		fault.Status = []int{301, 302, 307, 308}[rng.IntN(4)]
	case simulator.FaultGarbage:
		fault.Raw = garbage[rng.IntN(len(garbage))]
	default:
	}
	return fault
}
