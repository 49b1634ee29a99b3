package audian_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

// ofSimulator is a client of a simulator in memory.
func ofSimulator(t *testing.T, s *simulator.Simulator) *audian.Client {
	t.Helper()
	c, err := audian.New(audian.Options{
		BaseURL: &url.URL{Scheme: "http", Host: "simulator", Path: "/v2"}, Credential: audian.StaticToken("token"), Transport: s.Transport(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestW07_UnusualJSONShowsTheSameRoster reads the same conference in the vendor's JSON and in
// odd JSON.
func TestW07_UnusualJSONShowsTheSameRoster(t *testing.T) {
	for name, options := range map[string]simulator.Options{
		"bare": {}, "envelope": {Envelope: true}, "array": {Envelope: true, ListAsData: true}, "pages": {PageSize: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := simulator.New(options)
			s.AddParticipant("c", simulator.Participant{Name: "Bob \uFFFD", Status: "connected", Muted: true})
			s.AddParticipant("c", simulator.Participant{Name: "Ada", Status: "dialing", PhoneNumber: "+12025550123"})
			c := ofSimulator(t, s)
			plain, err := c.List(t.Context(), "c", audian.Pacing{})
			if err != nil {
				t.Fatal(err)
			}
			s.Inject(simulator.Fault{Kind: simulator.FaultOdd})
			odd, err := c.List(t.Context(), "c", audian.Pacing{})
			if err != nil || !odd.Complete() || len(odd.Items) != 2 {
				t.Fatalf("got %+v, %v", odd, err)
			}
			for i := range plain.Items {
				if odd.Items[i].Duration = plain.Items[i].Duration; odd.Items[i] != plain.Items[i] {
					t.Errorf("got %+v, want %+v", odd.Items[i], plain.Items[i])
				}
			}
			added, err := c.Add(t.Context(), "c", participant.Add{PhoneNumber: "+12025550199", Name: "Eve"}, audian.Pacing{})
			if err != nil || added.Name != "Eve" || !added.Fields.Has(participant.AllFields) {
				t.Errorf("added %+v, %v", added, err)
			}
		})
	}
}

// TestW07_FaultsOfLists reads lists that are incomplete, or empty without an array.
func TestW07_FaultsOfLists(t *testing.T) {
	for name, test := range map[string]struct {
		fault                 simulator.Fault
		people, read          int
		complete, placeholder bool
	}{
		"a later page fails":   {simulator.Fault{Kind: simulator.FaultStatus, Status: 503, LaterPages: true}, 3, 1, false, false},
		"a later page is HTML": {simulator.Fault{Kind: simulator.FaultStatus, Status: http.StatusNotFound, Body: simulator.HTMLBody, LaterPages: true}, 3, 1, false, false},
		"total is off by one":  {simulator.Fault{Kind: simulator.FaultTotal}, 3, 3, false, false},
		"nobody is null":       {simulator.Fault{Kind: simulator.FaultNull}, 0, 0, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := simulator.New(simulator.Options{PageSize: 1})
			for range test.people {
				s.AddParticipant("c", simulator.Participant{Status: "connected"})
			}
			s.Inject(test.fault)
			list, err := ofSimulator(t, s).List(t.Context(), "c", audian.Pacing{})
			if err != nil || len(list.Items) != test.read || list.Complete() != test.complete || list.Placeholder != test.placeholder {
				t.Errorf("got %+v, %v", list, err)
			}
		})
	}
}
