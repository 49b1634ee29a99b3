package simulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/simulator"
)

const adminAPI = "/_simulator/"

func TestAdminAPI_Faults(t *testing.T) {
	s, c := start(t, simulator.Options{})
	injected := c.want(http.StatusOK, http.MethodPost, adminAPI+"faults", `{"kind":"status","status":503,"operation":"list","times":1}`)
	if id := decode[map[string]string](t, injected.body)["id"]; id != "fault_1" {
		t.Errorf("got %s", injected.body)
	}
	c.want(http.StatusServiceUnavailable, http.MethodGet, participantsPath(conferenceID), "")
	c.want(http.StatusOK, http.MethodPost, adminAPI+"faults", `{"kind":"late","latency":"2s"}`)
	got := c.want(http.StatusOK, http.MethodGet, adminAPI+"faults", "")
	if all := decode[[]simulator.Fault](t, got.body); len(all) != 1 || all[0] != s.Faults()[0] {
		t.Errorf("got %s", got.body)
	}
	c.want(http.StatusBadRequest, http.MethodPost, adminAPI+"faults", `{"kind":"flood"}`)
	c.want(http.StatusNoContent, http.MethodDelete, adminAPI+"faults/fault_2", "")
	c.want(http.StatusNotFound, http.MethodDelete, adminAPI+"faults/fault_2", "")
	c.want(http.StatusNoContent, http.MethodDelete, adminAPI+"faults", "")
}

func TestAdminAPI_Participants(t *testing.T) {
	s, c := start(t, simulator.Options{})
	conferenceID := adminAPI + "conferences/conf_x"
	added := c.want(http.StatusOK, http.MethodPost, conferenceID+"/participants", `{"phone_number":"+12025550123","name":"Ada","status":"connected"}`)
	id := decode[participant](t, added.body).ID
	c.want(http.StatusNoContent, http.MethodPost, conferenceID+"/participants/"+id+"/status", `{"status":"held"}`)
	if got := s.Participants("conf_x"); len(got) != 1 || got[0].Status != "held" || got[0].Name != "Ada" {
		t.Errorf("participants %v", got)
	}
	if got := decode[[]participant](t, c.want(http.StatusOK, http.MethodGet, conferenceID, "").body); len(got) != 1 || got[0].ID != id {
		t.Errorf("got %v", got)
	}
	const summaries = "[\n  {\n    \"id\": \"conf_x\",\n    \"total\": 1,\n    \"active\": 1\n  }\n]\n"
	if got := c.want(http.StatusOK, http.MethodGet, adminAPI+"conferences", "").body; got != summaries {
		t.Errorf("conferences %s", got)
	}
	c.want(http.StatusNoContent, http.MethodDelete, conferenceID+"/participants/"+id, "")
	c.want(http.StatusNotFound, http.MethodDelete, conferenceID+"/participants/"+id, "")
	c.want(http.StatusNoContent, http.MethodDelete, conferenceID, "")
	c.want(http.StatusNotFound, http.MethodGet, participantsPath("conf_x"), "")
}

func TestAdminAPI_Errors(t *testing.T) {
	tests := map[string]struct {
		method, path, body string
		status             int
	}{
		"unknown conference":  {http.MethodGet, "conferences/conf_none", "", http.StatusNotFound},
		"delete unknown":      {http.MethodDelete, "conferences/conf_none", "", http.StatusNotFound},
		"unknown participant": {http.MethodPost, "conferences/c/participants/p/status", `{"status":"held"}`, http.StatusNotFound},
		"no status":           {http.MethodPost, "conferences/c/participants/p/status", `{}`, http.StatusBadRequest},
		"status a number":     {http.MethodPost, "conferences/c/participants/p/status", `{"status":1}`, http.StatusBadRequest},
		"unknown field":       {http.MethodPost, "conferences/c/participants", `{"phone":"+1"}`, http.StatusBadRequest},
		"no body":             {http.MethodPost, "conferences/c/participants", ``, http.StatusBadRequest},
		"no such page":        {http.MethodGet, "nonsense", "", http.StatusNotFound},
		"wrong verb":          {http.MethodPut, "faults", "", http.StatusMethodNotAllowed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, c := start(t, simulator.Options{})
			c.want(test.status, test.method, adminAPI+test.path, test.body)
		})
	}
}

func TestAdminAPI_Reads(t *testing.T) {
	s, c := start(t, simulator.Options{APIKeys: []string{"key"}})
	token := exchange(c)
	c.with("X-Auth-Token", token).add(phoneNumber)
	tests := map[string]string{
		"":        "POST   /_simulator/faults",
		"history": `"operation": "add"`,
		"dials":   `"phone_number": "` + phoneNumber + `"`,
		"faults":  "[]",
	}
	for path, want := range tests {
		if got := c.want(http.StatusOK, http.MethodGet, adminAPI+path, "").body; !strings.Contains(got, want) {
			t.Errorf("%s: %s", path, got)
		}
	}
	c.want(http.StatusNoContent, http.MethodPost, adminAPI+"tokens/expire", "")
	c.with("X-Auth-Token", token).want(http.StatusUnauthorized, http.MethodGet, participantsPath(conferenceID), "")
	c.want(http.StatusNoContent, http.MethodPost, adminAPI+"reset", "")
	if len(s.Dials())+len(s.History()) != 0 {
		t.Error("dials or history were not reset")
	}
	if got := c.want(http.StatusOK, http.MethodGet, adminAPI+"dials", "").body; got != "[]\n" {
		t.Errorf("dials %q", got)
	}
}

func TestNoAdminAPI(t *testing.T) {
	_, c := start(t, simulator.Options{NoAdminAPI: true})
	c.want(http.StatusNotFound, http.MethodGet, adminAPI+"faults", "")
	c.want(http.StatusOK, http.MethodGet, participantsPath(conferenceID), "")
}
