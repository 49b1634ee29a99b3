package main

import (
	"math/rand/v2"
	"net/http"
	"reflect"
	"testing"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/simulator"
)

// TestNoFaultProvesTooMuch holds what is drawn to what the checks take for granted: no
// fault ends a conference (W11) or says falsely that nobody was dialled (A1).
func TestNoFaultProvesTooMuch(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		for _, kind := range kinds {
			for _, fault := range faultsOf(kind, "127.0.0.1:1", chance) {
				vendors := fault.Body != simulator.HTMLBody && fault.Body != simulator.TextBody && fault.Body != simulator.EmptyBody
				gone := fault.Status == http.StatusNotFound || fault.Status == http.StatusForbidden
				if fault.Operation == simulator.List && vendors && gone {
					t.Errorf("a list that ends its conference: %+v", fault)
				}
				if fault.Handled && apierror.Classify(&apierror.Error{UpstreamStatus: fault.Status, FromUpstream: vendors}) != apierror.Ambiguous {
					t.Errorf("a refusal of what was done: %+v", fault)
				}
				if fault.Times == 0 || kind == simulator.FaultShift && fault.Times > 1 {
					t.Errorf("strikes %d times: %+v", fault.Times, fault)
				}
			}
		}
	}
}

func TestASeedRepeatsItsDrills(t *testing.T) {
	draw := func() (all []simulator.Fault) {
		chance := (&world{settings: settings{seed: 3}}).chance(forDrills)
		for _, kind := range kinds {
			all = append(all, faultsOf(kind, "127.0.0.1:1", chance)...)
		}
		return all
	}
	if one, other := draw(), draw(); !reflect.DeepEqual(one, other) {
		t.Errorf("%v is not %v", one, other)
	}
}

func TestEveryDrillHasItsName(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range drills() {
		if d.name == "" || d.run == nil || seen[d.name] {
			t.Errorf("%q is not a drill of its own", d.name)
		}
		seen[d.name] = true
	}
}

// TestTheStrikesAreThoseOfTheSimulator counts by its log.
func TestTheStrikesAreThoseOfTheSimulator(t *testing.T) {
	counted := newTally(1)
	vendor := simulator.New(simulator.Options{Logger: newStrikes(counted)})
	vendor.Inject(simulator.Fault{Kind: simulator.FaultLost, Times: 1})
	client := &http.Client{Transport: vendor.Transport()}
	for range 2 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://vendor/v2/conferences/conf_a/participants", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Auth-Token", "any")
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close()
		}
	}
	if counted.struck("vendor lost") != 1 || counted.report.Upstream["list"]["200"] != 1 || counted.report.Upstream["list"]["0"] != 1 {
		t.Errorf("counted %v and %v", counted.report.Faults, counted.report.Upstream)
	}
}
