package simulator_test

import (
	"net/http"
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
		"mute":              {"connected", "mute", ok, "connected", true},
		"mute while dialed": {"dialing", "mute", ok, "dialing", true},
		"unmute":            {"connected", "unmute", ok, "connected", false},
		"hold":              {"connected", "hold", ok, "held", false},
		"hold one held":     {"held", "hold", conflict, "held", false},
		"hold one absent":   {"dialing", "hold", conflict, "dialing", false},
		"resume":            {"held", "resume", ok, "connected", false},
		"resume one there":  {"connected", "resume", conflict, "connected", false},
		"disconnect":        {"held", "disconnect", ok, "disconnected", false},
		"disconnect early":  {"pending", "disconnect", ok, "disconnected", false},
		"disconnect twice":  {"disconnected", "disconnect", conflict, "disconnected", false},
		"mute one who left": {"rejected", "mute", conflict, "rejected", false},
		"no such control":   {"connected", "dance", http.StatusNotFound, "connected", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, c := start(t, simulator.Options{LingerDisconnected: time.Hour})
			id := s.AddPerson(room, simulator.Person{Status: test.before}).ID
			answer := c.control(test.status, id, test.control)
			got := s.Truth(room)[0]
			if got.Status != test.after || got.Muted != test.muted {
				t.Errorf("is %s, muted %t", got.Status, got.Muted)
			}
			if test.status == ok && decode[participant](t, answer.body).Status != test.after {
				t.Errorf("answered %s", answer.body)
			}
		})
	}
}

func TestControlOfNobody(t *testing.T) {
	_, c := start(t, simulator.Options{})
	c.control(http.StatusNotFound, "part_none", "mute")
}

func TestMuteAll(t *testing.T) {
	s, c := start(t, simulator.Options{LingerDisconnected: time.Hour})
	for _, status := range []string{"connected", "held", "dialing", "disconnected"} {
		s.AddPerson(room, simulator.Person{Status: status})
	}
	answer := c.want(http.StatusOK, http.MethodPost, "/v2/conferences/"+room+"/mute-all", "{}")
	if answer.body != `{"muted":3}` {
		t.Errorf("answered %s", answer.body)
	}
	for _, p := range s.Truth(room) {
		if p.Muted != (p.Status != "disconnected") {
			t.Errorf("%s is muted %t", p.Status, p.Muted)
		}
	}
}

// What somebody did to a person is not undone by the person's own script.
func TestControlsLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(20) {
			s, c := start(t, simulator.Options{Seed: seed})
			id := c.add(oneNumber).ID
			time.Sleep(14 * time.Second)
			if people := s.Truth(room); len(people) == 0 || people[0].Status != "connected" {
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
