package e2e_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/simulator"
)

func TestA01_LostResponseIsResolvedWithoutASecondDial(t *testing.T) {
	t.Parallel()
	for _, kind := range []simulator.FaultKind{simulator.FaultLost, simulator.FaultReset, simulator.FaultGarbage} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			g := start(t, simulator.Options{})
			g.upstream.Inject(simulator.Fault{Kind: kind, Operation: simulator.Add, Times: 1})
			got, err := g.client.AddParticipant(g.context(), addRequest(1))
			dials := g.upstream.Dials()
			if err != nil || len(dials) != 1 || got.GetParticipant().GetId() != dials[0].Participant {
				t.Errorf("got %v, %v, dialled %+v", got, err, dials)
			}
		})
	}
}

func TestA01_ErrorResponsesReportNotDialled(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultStatus, Operation: simulator.Add, Status: 409, Times: 1})
	_, err := g.client.AddParticipant(g.context(), addRequest(1))
	if details := wantStatus(t, err, "FailedPrecondition", "UPSTREAM_CONFLICT"); details["dialled"] != "no" {
		t.Errorf("metadata: %v", details)
	}
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultStatus, Operation: simulator.Add, Status: 407, Body: simulator.HTMLBody, Times: 1})
	if got := g.call("POST", path(""), curlBody); got.status != http.StatusServiceUnavailable || dialled(t, got) != "no" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if dials := g.upstream.Dials(); len(dials) != 0 {
		t.Errorf("dialled %+v", dials)
	}
}

func TestA02_RequestIDIsSharedByGRPCAndREST(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	request := addRequest(1)
	request.RequestId = "one"
	var header metadata.MD
	first, err := g.client.AddParticipant(g.context(), request, grpc.Header(&header))
	if err != nil || len(header.Get("idempotency-replayed")) != 0 {
		t.Fatalf("got %v, %v", header, err)
	}
	second, err := g.client.AddParticipant(g.context(), request, grpc.Header(&header))
	if err != nil || second.GetParticipant().GetId() != first.GetParticipant().GetId() || header.Get("idempotency-replayed")[0] != "true" {
		t.Errorf("again: got %v, %v, %v", second, header, err)
	}
	const body = `{"phone_number":"+12025550001","name":"Person 1","role":"listener"}`
	got := g.call("POST", path(""), body, "Idempotency-Key: one")
	if got.status != http.StatusOK || got.header.Get("Idempotency-Replayed") != "true" || !strings.Contains(got.body, first.GetParticipant().GetId()) {
		t.Errorf("over HTTP: got %d %v %s", got.status, got.header, got.body)
	}
	if got = g.call("POST", path(""), strings.Replace(body, "listener", "presenter", 1), "Idempotency-Key: one"); got.status != http.StatusConflict {
		t.Errorf("other arguments: got %d %s", got.status, got.body)
	}
	if got = g.call("POST", path(""), `{"phone_number":"+12025550001","request_id":"two"}`, "Idempotency-Key: one"); got.status != http.StatusBadRequest {
		t.Errorf("two ids: got %d %s", got.status, got.body)
	}
	if dials := g.upstream.Dials(); len(dials) != 1 {
		t.Errorf("dialled %+v", dials)
	}
}

func TestA02_ConcurrentCallsDialOnce(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultLate, Operation: simulator.Add, Latency: 100 * time.Millisecond})
	request := addRequest(1)
	request.RequestId = "one"
	var calls sync.WaitGroup
	var mu sync.Mutex
	ids, originals := map[string]bool{}, 0
	for range 8 {
		calls.Go(func() {
			var header metadata.MD
			got, err := g.client.AddParticipant(g.context(), request, grpc.Header(&header))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("add: %v", err)
			}
			ids[got.GetParticipant().GetId()] = true
			if len(header.Get("idempotency-replayed")) == 0 {
				originals++
			}
		})
	}
	calls.Wait()
	if dials := g.upstream.Dials(); len(dials) != 1 || len(ids) != 1 || originals != 1 {
		t.Errorf("dialled %d, ids %v, %d not replayed", len(dials), ids, originals)
	}
}

func TestW15_AddIsRetriedAfter429(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultStatus, Operation: simulator.Add, Status: 429, Times: 1})
	if _, err := g.client.AddParticipant(g.context(), addRequest(1)); err != nil {
		t.Errorf("add: %v", err)
	}
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultStatus, Operation: simulator.Add, Status: 429, RetryAfter: "60"})
	_, err := g.client.AddParticipant(g.context(), addRequest(2))
	if details := wantStatus(t, err, "ResourceExhausted", "UPSTREAM_RATE_LIMITED"); details["dialled"] != "no" {
		t.Errorf("metadata: %v", details)
	}
	if got := g.call("POST", path(""), curlBody); got.status != 429 || got.header.Get("Retry-After") == "" || dialled(t, got) != "no" {
		t.Errorf("over HTTP: got %d %v %s", got.status, got.header, got.body)
	}
}

// TestA03_TenAddsASecond tests what clients observe of the limit. Package upstream tests the
// pace itself in virtual time: on a busy machine real time is not exact enough.
func TestA03_TenAddsASecond(t *testing.T) {
	t.Parallel()
	const adding = 35
	g := start(t, simulator.Options{AddsPerSecond: -1})
	var adds sync.WaitGroup
	for n := range adding {
		adds.Go(func() {
			if _, err := g.client.AddParticipant(g.context(), addRequest(n)); err != nil {
				t.Errorf("add: %v", err)
			}
		})
	}
	g.eventually("ten adds", func() bool { return len(g.upstream.Dials()) >= 10 })
	// This add would be sent three seconds after the first, so one second is too short.
	ctx, cancel := context.WithTimeout(g.context(), time.Second)
	defer cancel()
	_, err := g.client.AddParticipant(ctx, addRequest(100))
	if details := wantStatus(t, err, "ResourceExhausted", "ADD_RATE_LIMITED"); details["dialled"] != "no" {
		t.Errorf("metadata: %v", details)
	}
	st := status.Convert(err)
	if detail[*errdetails.RetryInfo](st) == nil || detail[*errdetails.QuotaFailure](st) == nil {
		t.Errorf("details: %v", st.Details())
	}
	adds.Wait()
	if dials := g.upstream.Dials(); len(dials) != adding {
		t.Errorf("dialled %d of %d", len(dials), adding)
	}
}
