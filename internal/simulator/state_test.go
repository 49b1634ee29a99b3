package simulator_test

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

func TestAddParticipant(t *testing.T) {
	long := time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		facts, want simulator.Participant
	}{
		"defaults":       {simulator.Participant{}, simulator.Participant{Role: "listener", Status: "pending"}},
		"connected":      {simulator.Participant{Status: "connected"}, simulator.Participant{Role: "listener", Status: "connected", JoinedAt: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"joined earlier": {simulator.Participant{Status: "held", JoinedAt: long}, simulator.Participant{Role: "listener", Status: "held", JoinedAt: long, Duration: 3600}},
		"unknown words":  {simulator.Participant{Status: "levitating", Role: "wizard"}, simulator.Participant{Role: "wizard", Status: "levitating"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := start(t, simulator.Options{ListLag: time.Hour, Behaviour: simulator.Still})
				got := s.AddParticipant(conferenceID, test.facts)
				if listed := c.list().Participants; len(listed) != 1 || listed[0].ID != got.ID {
					t.Errorf("listed %v", listed)
				}
				got.ID, got.CreatedAt, got.JoinedAt = "", time.Time{}, got.JoinedAt.UTC()
				test.want.Conference = conferenceID
				if got != test.want {
					t.Errorf("got %+v, want %+v", got, test.want)
				}
			})
		})
	}
}

func TestAddParticipant_ReplacesTheSameID(t *testing.T) {
	s, _ := start(t, simulator.Options{})
	s.AddParticipant(conferenceID, simulator.Participant{ID: "part_1", Name: "Ada"})
	s.AddParticipant(conferenceID, simulator.Participant{ID: "part_1", Name: "Eve"})
	if got := s.Participants(conferenceID); len(got) != 1 || got[0].Name != "Eve" {
		t.Errorf("got %v", got)
	}
}

func TestSetStatus_CancelsTheTimeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{})
		id := c.add(phoneNumber).ID
		if !s.SetStatus(conferenceID, id, "dialing") || s.SetStatus(conferenceID, "part_none", "dialing") || s.SetStatus("conf_none", id, "dialing") {
			t.Error("SetStatus did not report whether the participant exists")
		}
		time.Sleep(time.Hour)
		if got := s.Participants(conferenceID); len(got) != 1 || got[0].Status != "dialing" {
			t.Errorf("got %v", got)
		}
	})
}

func TestRemoveParticipant_NeitherLagNorLinger(t *testing.T) {
	s, c := start(t, simulator.Options{LingerDisconnected: time.Hour, ListLag: time.Hour})
	id := s.AddParticipant(conferenceID, simulator.Participant{}).ID
	if !s.RemoveParticipant(conferenceID, id) || s.RemoveParticipant(conferenceID, id) || s.RemoveParticipant("conf_none", id) {
		t.Error("a participant was not removed exactly once")
	}
	if got := c.list(); got.Total != 0 {
		t.Errorf("listed %v", got)
	}
}

func TestDeleteConference(t *testing.T) {
	s, c := start(t, simulator.Options{})
	s.AddParticipant(conferenceID, simulator.Participant{})
	if !s.DeleteConference(conferenceID) || s.DeleteConference(conferenceID) || s.DeleteConference("conf_none") {
		t.Error("a conference was not deleted exactly once")
	}
	c.want(http.StatusNotFound, http.MethodGet, participantsPath(conferenceID), "")
	c.want(http.StatusNotFound, http.MethodGet, participantsPath("conf_none"), "")
	s.AddParticipant(conferenceID, simulator.Participant{})
	if got := c.list(); got.Total != 1 {
		t.Errorf("created again: %v", got)
	}
}

func TestReset(t *testing.T) {
	s, c := start(t, simulator.Options{Conferences: []string{conferenceID}, KnownOnly: true})
	c.add(phoneNumber)
	s.Inject(simulator.Fault{Kind: simulator.FaultCut})
	s.DeleteConference(conferenceID)
	s.Reset()
	if len(s.Dials()) != 0 || len(s.History()) != 0 || len(s.Faults()) != 0 {
		t.Errorf("still there: %v, %v, %v", s.Dials(), s.History(), s.Faults())
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
		began := time.Now()
		_, _ = c.try(http.MethodPost, participantsPath(conferenceID), `{"phone_number":"+12025550123"}`)
		c.do(http.MethodDelete, participantsPath(conferenceID)+"/part_none", "")
		resp := c.do(http.MethodGet, participantsPath(conferenceID)+"?paginate=false", "")
		want := []simulator.Request{
			{ID: "req_00000001", Time: began, Method: "POST", Path: participantsPath(conferenceID), Operation: simulator.Add, Conference: conferenceID, Fault: simulator.FaultLost, CallerID: "caller-1"},
			{ID: "req_00000002", Time: began, Method: "DELETE", Path: participantsPath(conferenceID) + "/part_none", Operation: simulator.Remove, Conference: conferenceID, Status: 404, Fault: simulator.FaultLatency, CallerID: "caller-1"},
			{ID: "req_00000003", Time: began.Add(time.Second), Method: "GET", Path: participantsPath(conferenceID), Operation: simulator.List, Conference: conferenceID, Status: 200, CallerID: "caller-1"},
		}
		if got := s.History(); !slices.Equal(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if got := resp.header.Get("X-Request-ID"); got != "req_00000003" {
			t.Errorf("request id %s", got)
		}
	})
}

func TestHistory_KeepsTheLastThousand(t *testing.T) {
	s, c := start(t, simulator.Options{})
	for range 1234 {
		c.do(http.MethodGet, participantsPath(conferenceID), "")
	}
	got := s.History()
	if len(got) != 1000 || got[0].ID != "req_000000eb" || got[999].ID != "req_000004d2" {
		t.Errorf("%d from %s to %s", len(got), got[0].ID, got[len(got)-1].ID)
	}
}
