package simulator_test

import (
	"cmp"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

func TestControls(t *testing.T) {
	const ok, conflict = http.StatusOK, http.StatusConflict
	tests := map[string]struct {
		before, control string
		status          int
		after           string
		muted           bool
	}{
		"mute":               {"connected", "mute", ok, "connected", true},
		"mute while dialed":  {"dialing", "mute", ok, "dialing", true},
		"unmute":             {"connected", "unmute", ok, "connected", false},
		"hold":               {"connected", "hold", ok, "held", false},
		"hold again":         {"held", "hold", conflict, "held", false},
		"hold unanswered":    {"dialing", "hold", conflict, "dialing", false},
		"resume":             {"held", "resume", ok, "connected", false},
		"resume connected":   {"connected", "resume", conflict, "connected", false},
		"disconnect":         {"held", "disconnect", ok, "disconnected", false},
		"disconnect pending": {"pending", "disconnect", ok, "disconnected", false},
		"disconnect twice":   {"disconnected", "disconnect", conflict, "disconnected", false},
		"mute rejected":      {"rejected", "mute", conflict, "rejected", false},
		"no such control":    {"connected", "dance", http.StatusNotFound, "connected", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, c := start(t, simulator.Options{LingerDisconnected: time.Hour})
			id := s.AddParticipant(conferenceID, simulator.Participant{Status: test.before}).ID
			resp := c.control(test.status, id, test.control)
			got := s.Participants(conferenceID)[0]
			if got.Status != test.after || got.Muted != test.muted {
				t.Errorf("status %s, muted %t", got.Status, got.Muted)
			}
			if test.status == ok && decode[participant](t, resp.body).Status != test.after {
				t.Errorf("got %s", resp.body)
			}
		})
	}
}

// Two controls in a row leave no trace in the state, but both are recorded.
func TestControlChanges(t *testing.T) {
	s, c := start(t, simulator.Options{})
	id := s.AddParticipant(conferenceID, simulator.Participant{Status: "connected"}).ID
	c.control(http.StatusOK, id, "mute")
	c.control(http.StatusOK, id, "unmute")
	c.control(http.StatusConflict, id, "resume")
	changes := s.ControlChanges()
	if len(changes) != 2 {
		t.Fatalf("changes: %+v", changes)
	}
	for i, change := range changes {
		if change.After.ID != id || change.Before.Muted != (i == 1) || change.After.Muted != (i == 0) || change.Time.IsZero() {
			t.Errorf("change %d: %+v", i, change)
		}
	}
}

func TestControls_UnknownParticipant(t *testing.T) {
	_, c := start(t, simulator.Options{})
	c.control(http.StatusNotFound, "part_none", "mute")
}

func TestMuteAll(t *testing.T) {
	s, c := start(t, simulator.Options{LingerDisconnected: time.Hour})
	for _, status := range []string{"connected", "held", "dialing", "disconnected"} {
		s.AddParticipant(conferenceID, simulator.Participant{Status: status})
	}
	resp := c.want(http.StatusOK, http.MethodPost, "/v2/conferences/"+conferenceID+"/mute-all", "{}")
	if resp.body != `{"muted":3}` {
		t.Errorf("got %s", resp.body)
	}
	for _, p := range s.Participants(conferenceID) {
		if p.Muted != (p.Status != "disconnected") {
			t.Errorf("%s: muted %t", p.Status, p.Muted)
		}
	}
}

// The timeline does not undo a control.
func TestControls_CancelTimelineEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(20) {
			s, c := start(t, simulator.Options{Seed: seed})
			id := c.add(phoneNumber).ID
			time.Sleep(14 * time.Second)
			if participants := s.Participants(conferenceID); len(participants) == 0 || participants[0].Status != "connected" {
				continue
			}
			c.control(http.StatusOK, id, "mute")
			c.control(http.StatusOK, id, "hold")
			for _, m := range follow(s, id, time.Hour) {
				if m.status != "gone" && (m.status != "held" || !m.muted) {
					t.Fatalf("seed %d: %+v", seed, m)
				}
			}
		}
	})
}

// Faults and options choose the form of the response; the control is carried out in each.
func TestControls_FormsOfTheResponse(t *testing.T) {
	for name, test := range map[string]struct {
		options simulator.Options
		fault   simulator.Fault
		status  int
		want    string
	}{
		"bare":       {want: `{"id":"ID","conference_id":"conf_abc123def456","phone_number":"",`},
		"wrapped":    {options: simulator.Options{Envelope: true}, want: `{"auth_token":"token","data":{"id":"ID",`},
		"no body":    {fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 204, Body: simulator.EmptyBody, Handled: true}, status: 204},
		"empty 200":  {fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 200, Body: simulator.EmptyBody, Handled: true}, status: 200},
		"other JSON": {fault: simulator.Fault{Kind: simulator.FaultGarbage, Raw: `{"status":"success"}`}, want: `{"status":"success"}`},
		"error":      {fault: simulator.Fault{Kind: simulator.FaultErrorEnvelope, Status: 503, Handled: true}, want: `{"data":{"message":"injected fault"}`},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := start(t, test.options)
			id := s.AddParticipant(conferenceID, simulator.Participant{Status: "connected"}).ID
			if test.fault.Operation = simulator.Control; test.fault.Kind != "" {
				s.Inject(test.fault)
			}
			resp := c.control(cmp.Or(test.status, http.StatusOK), id, "mute")
			if want := strings.ReplaceAll(test.want, "ID", id); !strings.HasPrefix(resp.body, want) || want == "" && resp.body != "" {
				t.Errorf("got %s, want %s…", resp.body, want)
			}
			if !s.Participants(conferenceID)[0].Muted {
				t.Error("not muted")
			}
		})
	}
}

func TestControls_LostResponses(t *testing.T) {
	s, c := start(t, simulator.Options{})
	id := s.AddParticipant(conferenceID, simulator.Participant{Status: "connected"}).ID
	s.Inject(simulator.Fault{Kind: simulator.FaultLost, Operation: simulator.Control, Times: 1})
	if resp, err := c.try(http.MethodPost, participantsPath(conferenceID)+"/"+id+"/hold", "{}"); err == nil {
		t.Errorf("got %+v", resp)
	}
	if got := s.Participants(conferenceID)[0].Status; got != "held" {
		t.Errorf("status %s", got)
	}
}
