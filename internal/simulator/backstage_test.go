package simulator_test

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

func TestAddPerson(t *testing.T) {
	long := time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		who, want simulator.Person
	}{
		"nothing said": {simulator.Person{}, simulator.Person{Role: "listener", Status: "pending"}},
		"connected":    {simulator.Person{Status: "connected"}, simulator.Person{Role: "listener", Status: "connected", JoinedAt: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"long there":   {simulator.Person{Status: "held", JoinedAt: long}, simulator.Person{Role: "listener", Status: "held", JoinedAt: long, Duration: 3600}},
		"odd words":    {simulator.Person{Status: "levitating", Role: "wizard"}, simulator.Person{Role: "wizard", Status: "levitating"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := start(t, simulator.Options{ListLag: time.Hour, Behaviour: simulator.Still})
				got := s.AddPerson(room, test.who)
				if listed := c.list().Participants; len(listed) != 1 || listed[0].ID != got.ID {
					t.Errorf("listed %v", listed)
				}
				got.ID, got.CreatedAt, got.JoinedAt = "", time.Time{}, got.JoinedAt.UTC()
				test.want.Conference = room
				if got != test.want {
					t.Errorf("got %+v, want %+v", got, test.want)
				}
			})
		})
	}
}

func TestAddPersonTakesOver(t *testing.T) {
	s, _ := start(t, simulator.Options{})
	s.AddPerson(room, simulator.Person{ID: "part_1", Name: "Ada"})
	s.AddPerson(room, simulator.Person{ID: "part_1", Name: "Eve"})
	if got := s.Truth(room); len(got) != 1 || got[0].Name != "Eve" {
		t.Errorf("got %v", got)
	}
}

// With a status of one's own, one stays in it.
func TestSetStatusHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{})
		id := c.add(oneNumber).ID
		if !s.SetStatus(room, id, "dialing") || s.SetStatus(room, "part_none", "dialing") || s.SetStatus("conf_none", id, "dialing") {
			t.Error("a status is set where there is somebody")
		}
		time.Sleep(time.Hour)
		if got := s.Truth(room); len(got) != 1 || got[0].Status != "dialing" {
			t.Errorf("got %v", got)
		}
	})
}

func TestRemovePersonLeavesNothing(t *testing.T) {
	s, c := start(t, simulator.Options{LingerDisconnected: time.Hour, ListLag: time.Hour})
	id := s.AddPerson(room, simulator.Person{}).ID
	if !s.RemovePerson(room, id) || s.RemovePerson(room, id) || s.RemovePerson("conf_none", id) {
		t.Error("one is removed once")
	}
	if got := c.list(); got.Total != 0 {
		t.Errorf("listed %v", got)
	}
}

func TestDeleteConference(t *testing.T) {
	s, c := start(t, simulator.Options{})
	s.AddPerson(room, simulator.Person{})
	if !s.DeleteConference(room) || s.DeleteConference(room) || s.DeleteConference("conf_none") {
		t.Error("a conference is deleted once")
	}
	c.want(http.StatusNotFound, http.MethodGet, people(room), "")
	c.want(http.StatusNotFound, http.MethodGet, people("conf_none"), "")
	s.AddPerson(room, simulator.Person{})
	if got := c.list(); got.Total != 1 {
		t.Errorf("opened anew: %v", got)
	}
}

func TestReset(t *testing.T) {
	s, c := start(t, simulator.Options{Conferences: []string{room}, KnownOnly: true})
	c.add(oneNumber)
	s.Inject(simulator.Fault{Kind: simulator.FaultCut})
	s.DeleteConference(room)
	s.Reset()
	if len(s.Dials()) != 0 || len(s.History()) != 0 || len(s.Faults()) != 0 {
		t.Errorf("left %v, %v, %v", s.Dials(), s.History(), s.Faults())
	}
	if got := c.list(); got.Total != 0 {
		t.Errorf("listed %v", got)
	}
}

func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{})
		c.header.Set("X-Request-ID", "caller-1")
		s.Inject(simulator.Fault{Kind: simulator.FaultLost, Operation: simulator.Add})
		s.Inject(simulator.Fault{Kind: simulator.FaultLatency, Operation: simulator.Remove, Latency: time.Second})
		begun := time.Now()
		_, _ = c.try(http.MethodPost, people(room), `{"phone_number":"+12025550123"}`)
		c.do(http.MethodDelete, people(room)+"/part_none", "")
		answer := c.do(http.MethodGet, people(room)+"?paginate=false", "")
		want := []simulator.Request{
			{ID: "req_00000001", Time: begun, Method: "POST", Path: people(room), Operation: simulator.Add, Conference: room, Fault: simulator.FaultLost, CallerID: "caller-1"},
			{ID: "req_00000002", Time: begun, Method: "DELETE", Path: people(room) + "/part_none", Operation: simulator.Remove, Conference: room, Status: 404, Fault: simulator.FaultLatency, CallerID: "caller-1"},
			{ID: "req_00000003", Time: begun.Add(time.Second), Method: "GET", Path: people(room), Operation: simulator.List, Conference: room, Status: 200, CallerID: "caller-1"},
		}
		if got := s.History(); !slices.Equal(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if got := answer.header.Get("X-Request-ID"); got != "req_00000003" {
			t.Errorf("answered as %s", got)
		}
	})
}

func TestHistoryKeepsAThousand(t *testing.T) {
	s, c := start(t, simulator.Options{})
	for range 1234 {
		c.do(http.MethodGet, people(room), "")
	}
	got := s.History()
	if len(got) != 1000 || got[0].ID != "req_000000eb" || got[999].ID != "req_000004d2" {
		t.Errorf("%d from %s to %s", len(got), got[0].ID, got[len(got)-1].ID)
	}
}
