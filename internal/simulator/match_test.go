package simulator_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/audian/participant-gateway/internal/simulator"
)

func TestFaultsMatch(t *testing.T) {
	requests := []struct{ method, path string }{
		{http.MethodPost, people(room)},
		{http.MethodGet, people(room)},
		{http.MethodDelete, people(room) + "/part_1"},
		{http.MethodPost, people(room) + "/part_1/mute"},
		{http.MethodPut, "/v2/api_auth"},
		{http.MethodGet, people("other")},
	}
	tests := map[string]struct {
		fault simulator.Fault
		want  []int
	}{
		"everything": {simulator.Fault{}, []int{0, 1, 2, 3, 4, 5}},
		"any":        {simulator.Fault{Operation: simulator.Any}, []int{0, 1, 2, 3, 4, 5}},
		"add":        {simulator.Fault{Operation: simulator.Add}, []int{0}},
		"list":       {simulator.Fault{Operation: simulator.List}, []int{1, 5}},
		"remove":     {simulator.Fault{Operation: simulator.Remove}, []int{2}},
		"control":    {simulator.Fault{Operation: simulator.Control}, []int{3}},
		"auth":       {simulator.Fault{Operation: simulator.Auth}, []int{4}},
		"method":     {simulator.Fault{Method: "post"}, []int{0, 3}},
		"conference": {simulator.Fault{Conference: "other"}, []int{5}},
		"both":       {simulator.Fault{Method: "GET", Conference: room}, []int{1}},
		"neither":    {simulator.Fault{Operation: simulator.Add, Method: "GET"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, c := start(t, simulator.Options{})
			test.fault.Kind, test.fault.Status = simulator.FaultStatus, http.StatusTeapot
			s.Inject(test.fault)
			var got []int
			for i, r := range requests {
				if c.do(r.method, r.path, "").status == http.StatusTeapot {
					got = append(got, i)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("struck %v, want %v", got, test.want)
			}
		})
	}
}

// struck lists n times and tells which of the lists met the fault.
func struck(s *simulator.Simulator, c *client, n int, f simulator.Fault) (hits []int) {
	f.Kind, f.Status = simulator.FaultStatus, http.StatusTeapot
	s.Inject(f)
	for i := range n {
		if c.do(http.MethodGet, people(room), "").status == http.StatusTeapot {
			hits = append(hits, i)
		}
	}
	return hits
}

func TestFaultsAreCounted(t *testing.T) {
	tests := map[string]struct {
		fault simulator.Fault
		want  []int
		left  int
	}{
		"for ever":  {simulator.Fault{}, []int{0, 1, 2, 3}, 1},
		"twice":     {simulator.Fault{Times: 2}, []int{0, 1}, 0},
		"the third": {simulator.Fault{Skip: 2, Times: 1}, []int{2}, 0},
		"from two":  {simulator.Fault{Skip: 1}, []int{1, 2, 3}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, c := start(t, simulator.Options{})
			if got := struck(s, c, 4, test.fault); !slices.Equal(got, test.want) {
				t.Errorf("struck %v, want %v", got, test.want)
			}
			if left := s.Faults(); len(left) != test.left {
				t.Errorf("left %v", left)
			}
		})
	}
}

func TestFaultsByChanceAreSeeded(t *testing.T) {
	hits := func(seed uint64) []int {
		s, c := start(t, simulator.Options{Seed: seed})
		return struck(s, c, 400, simulator.Fault{Probability: 0.25})
	}
	one, again, two := hits(1), hits(1), hits(2)
	if !slices.Equal(one, again) || slices.Equal(one, two) {
		t.Error("chance is not the seed's")
	}
	if len(one) < 60 || len(one) > 140 {
		t.Errorf("struck %d of 400", len(one))
	}
}

func TestFaultsAreTakenAway(t *testing.T) {
	s, c := start(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultStatus, Status: 500}}})
	other := s.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: 501})
	c.want(500, http.MethodGet, people(room), "")
	if !s.ClearFault("fault_1") || s.ClearFault("fault_1") {
		t.Error("a fault is taken away once")
	}
	c.want(501, http.MethodGet, people(room), "")
	if got := s.Faults(); len(got) != 1 || got[0].ID != other {
		t.Errorf("left %v", got)
	}
	s.ClearFaults()
	c.want(200, http.MethodGet, people(room), "")
	s.Reset()
	c.want(500, http.MethodGet, people(room), "")
}
