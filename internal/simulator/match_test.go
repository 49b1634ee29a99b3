package simulator_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/audian/participant-gateway/internal/simulator"
)

func TestFaultMatching(t *testing.T) {
	requests := []struct{ method, path string }{
		{http.MethodPost, participantsPath(conferenceID)},
		{http.MethodGet, participantsPath(conferenceID)},
		{http.MethodDelete, participantsPath(conferenceID) + "/part_1"},
		{http.MethodPost, participantsPath(conferenceID) + "/part_1/mute"},
		{http.MethodPut, "/v2/api_auth"},
		{http.MethodGet, participantsPath("other")},
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
		"both":       {simulator.Fault{Method: "GET", Conference: conferenceID}, []int{1}},
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
				t.Errorf("affected %v, want %v", got, test.want)
			}
		})
	}
}

// affected sends n lists and returns the indexes of those that the fault affected.
func affected(s *simulator.Simulator, c *client, n int, f simulator.Fault) (hits []int) {
	f.Kind, f.Status = simulator.FaultStatus, http.StatusTeapot
	s.Inject(f)
	for i := range n {
		if c.do(http.MethodGet, participantsPath(conferenceID), "").status == http.StatusTeapot {
			hits = append(hits, i)
		}
	}
	return hits
}

func TestFaultSkipAndTimes(t *testing.T) {
	tests := map[string]struct {
		fault  simulator.Fault
		want   []int
		active int
	}{
		"no limit":    {simulator.Fault{}, []int{0, 1, 2, 3}, 1},
		"twice":       {simulator.Fault{Times: 2}, []int{0, 1}, 0},
		"only third":  {simulator.Fault{Skip: 2, Times: 1}, []int{2}, 0},
		"from second": {simulator.Fault{Skip: 1}, []int{1, 2, 3}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, c := start(t, simulator.Options{})
			if got := affected(s, c, 4, test.fault); !slices.Equal(got, test.want) {
				t.Errorf("affected %v, want %v", got, test.want)
			}
			if active := s.Faults(); len(active) != test.active {
				t.Errorf("active %v", active)
			}
		})
	}
}

func TestFaultProbabilityIsSeeded(t *testing.T) {
	hits := func(seed uint64) []int {
		s, c := start(t, simulator.Options{Seed: seed})
		return affected(s, c, 400, simulator.Fault{Probability: 0.25})
	}
	one, again, two := hits(1), hits(1), hits(2)
	if !slices.Equal(one, again) || slices.Equal(one, two) {
		t.Error("the seed does not determine the affected requests")
	}
	if len(one) < 60 || len(one) > 140 {
		t.Errorf("affected %d of 400", len(one))
	}
}

func TestClearFaults(t *testing.T) {
	s, c := start(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultStatus, Status: 500}}})
	other := s.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: 501})
	c.want(500, http.MethodGet, participantsPath(conferenceID), "")
	if !s.ClearFault("fault_1") || s.ClearFault("fault_1") {
		t.Error("a fault was not cleared exactly once")
	}
	c.want(501, http.MethodGet, participantsPath(conferenceID), "")
	if got := s.Faults(); len(got) != 1 || got[0].ID != other {
		t.Errorf("active %v", got)
	}
	s.ClearFaults()
	c.want(200, http.MethodGet, participantsPath(conferenceID), "")
	s.Reset()
	c.want(500, http.MethodGet, participantsPath(conferenceID), "")
}
