package simulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/simulator"
)

const backstage = "/_simulator/"

func TestManageFaults(t *testing.T) {
	s, c := start(t, simulator.Options{})
	made := c.want(http.StatusOK, http.MethodPost, backstage+"faults", `{"kind":"status","status":503,"operation":"list","times":1}`)
	if id := decode[map[string]string](t, made.body)["id"]; id != "fault_1" {
		t.Errorf("made %s", made.body)
	}
	c.want(http.StatusServiceUnavailable, http.MethodGet, people(room), "")
	c.want(http.StatusOK, http.MethodPost, backstage+"faults", `{"kind":"late","latency":"2s"}`)
	shown := c.want(http.StatusOK, http.MethodGet, backstage+"faults", "")
	if all := decode[[]simulator.Fault](t, shown.body); len(all) != 1 || all[0] != s.Faults()[0] {
		t.Errorf("shown %s", shown.body)
	}
	c.want(http.StatusBadRequest, http.MethodPost, backstage+"faults", `{"kind":"flood"}`)
	c.want(http.StatusNoContent, http.MethodDelete, backstage+"faults/fault_2", "")
	c.want(http.StatusNotFound, http.MethodDelete, backstage+"faults/fault_2", "")
	c.want(http.StatusNoContent, http.MethodDelete, backstage+"faults", "")
}

func TestManagePeople(t *testing.T) {
	s, c := start(t, simulator.Options{})
	room := backstage + "conferences/conf_x"
	let := c.want(http.StatusOK, http.MethodPost, room+"/participants", `{"phone_number":"+12025550123","name":"Ada","status":"connected"}`)
	id := decode[participant](t, let.body).ID
	c.want(http.StatusNoContent, http.MethodPost, room+"/participants/"+id+"/status", `{"status":"held"}`)
	if got := s.Truth("conf_x"); len(got) != 1 || got[0].Status != "held" || got[0].Name != "Ada" {
		t.Errorf("truth %v", got)
	}
	if shown := decode[[]participant](t, c.want(http.StatusOK, http.MethodGet, room, "").body); len(shown) != 1 || shown[0].ID != id {
		t.Errorf("shown %v", shown)
	}
	const rooms = "[\n  {\n    \"id\": \"conf_x\",\n    \"total\": 1,\n    \"active\": 1\n  }\n]\n"
	if shown := c.want(http.StatusOK, http.MethodGet, backstage+"conferences", "").body; shown != rooms {
		t.Errorf("conferences %s", shown)
	}
	c.want(http.StatusNoContent, http.MethodDelete, room+"/participants/"+id, "")
	c.want(http.StatusNotFound, http.MethodDelete, room+"/participants/"+id, "")
	c.want(http.StatusNoContent, http.MethodDelete, room, "")
	c.want(http.StatusNotFound, http.MethodGet, people("conf_x"), "")
}

func TestManageRefuses(t *testing.T) {
	tests := map[string]struct {
		method, path, body string
		status             int
	}{
		"unknown conference":  {http.MethodGet, "conferences/conf_none", "", http.StatusNotFound},
		"nothing to end":      {http.MethodDelete, "conferences/conf_none", "", http.StatusNotFound},
		"nobody":              {http.MethodPost, "conferences/c/participants/p/status", `{"status":"held"}`, http.StatusNotFound},
		"no status":           {http.MethodPost, "conferences/c/participants/p/status", `{}`, http.StatusBadRequest},
		"status a number":     {http.MethodPost, "conferences/c/participants/p/status", `{"status":1}`, http.StatusBadRequest},
		"person with a typo":  {http.MethodPost, "conferences/c/participants", `{"phone":"+1"}`, http.StatusBadRequest},
		"person without body": {http.MethodPost, "conferences/c/participants", ``, http.StatusBadRequest},
		"no such page":        {http.MethodGet, "nonsense", "", http.StatusNotFound},
		"wrong verb":          {http.MethodPut, "faults", "", http.StatusMethodNotAllowed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, c := start(t, simulator.Options{})
			c.want(test.status, test.method, backstage+test.path, test.body)
		})
	}
}

func TestManageShows(t *testing.T) {
	s, c := start(t, simulator.Options{APIKeys: []string{"key"}})
	token := exchange(c)
	c.with("X-Auth-Token", token).add(oneNumber)
	tests := map[string]string{
		"":        "POST   /_simulator/faults",
		"history": `"operation": "add"`,
		"dials":   `"phone_number": "` + oneNumber + `"`,
		"faults":  "[]",
	}
	for path, want := range tests {
		if got := c.want(http.StatusOK, http.MethodGet, backstage+path, "").body; !strings.Contains(got, want) {
			t.Errorf("%s: %s", path, got)
		}
	}
	c.want(http.StatusNoContent, http.MethodPost, backstage+"tokens/expire", "")
	c.with("X-Auth-Token", token).want(http.StatusUnauthorized, http.MethodGet, people(room), "")
	c.want(http.StatusNoContent, http.MethodPost, backstage+"reset", "")
	if len(s.Dials())+len(s.History()) != 0 {
		t.Error("nothing was reset")
	}
	if got := c.want(http.StatusOK, http.MethodGet, backstage+"dials", "").body; got != "[]\n" {
		t.Errorf("dials %q", got)
	}
}

func TestNoManagement(t *testing.T) {
	_, c := start(t, simulator.Options{NoManagement: true})
	c.want(http.StatusNotFound, http.MethodGet, backstage+"faults", "")
	c.want(http.StatusOK, http.MethodGet, people(room), "")
}
