package main

import (
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/simulator"
)

// TestNoFaultIsAProof checks what the checks rely on: no fault ends a conference (W11) or
// says falsely that no phone was dialled (A1).
func TestNoFaultIsAProof(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		for _, kind := range faultKinds {
			for _, fault := range faultsOf(kind, "127.0.0.1:1", rng) {
				provesNothing(t, fault)
				if fault.Times == 0 || kind == simulator.FaultShift && fault.Times > 1 {
					t.Errorf("takes effect %d times: %+v", fault.Times, fault)
				}
			}
		}
		for _, fault := range htmlFaults(rng) {
			provesNothing(t, fault)
		}
	}
}

func provesNothing(t *testing.T, fault simulator.Fault) {
	t.Helper()
	vendorShaped := fault.Body != simulator.HTMLBody && fault.Body != simulator.TextBody && fault.Body != simulator.EmptyBody
	gone := fault.Status == http.StatusNotFound || fault.Status == http.StatusForbidden
	if fault.Operation == simulator.List && vendorShaped && gone {
		t.Errorf("a list that ends its conference: %+v", fault)
	}
	if fault.Handled && apierror.Classify(&apierror.Error{UpstreamStatus: fault.Status, FromUpstream: vendorShaped}) != apierror.Ambiguous {
		t.Errorf("a refusal of a request that was performed: %+v", fault)
	}
}

func TestSeedRepeatsFaults(t *testing.T) {
	draw := func() (all []simulator.Fault) {
		rng := (&harness{settings: settings{seed: 3}}).rng(forExperiments)
		for _, kind := range faultKinds {
			all = append(all, faultsOf(kind, "127.0.0.1:1", rng)...)
		}
		return all
	}
	if one, other := draw(), draw(); !reflect.DeepEqual(one, other) {
		t.Errorf("%v is not %v", one, other)
	}
}

func TestExperimentNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range slices.Concat(append(isolatedExperiments(), experiments())...) {
		if d.name == "" || d.run == nil || seen[d.name] {
			t.Errorf("%q is not a unique experiment", d.name)
		}
		seen[d.name] = true
	}
}

// TestFaultsAreCountedFromTheLog counts by its log.
func TestFaultsAreCountedFromTheLog(t *testing.T) {
	counted := newResults(1)
	upstream := simulator.New(simulator.Options{Logger: newRequestCounter(counted)})
	upstream.Inject(simulator.Fault{Kind: simulator.FaultLost, Times: 1})
	client := &http.Client{Transport: upstream.Transport()}
	for range 2 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://upstream/v2/conferences/conf_a/participants", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Auth-Token", "any")
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close()
		}
	}
	if counted.faultCount("upstream lost") != 1 || counted.report.Upstream["list"]["200"] != 1 || counted.report.Upstream["list"]["0"] != 1 {
		t.Errorf("counted %v and %v", counted.report.Faults, counted.report.Upstream)
	}
}
