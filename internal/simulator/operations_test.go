package simulator_test

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

func keys(t *testing.T, body string) []string {
	t.Helper()
	return slices.Sorted(maps.Keys(decode[map[string]any](t, body)))
}

// The bodies of the documentation, except for generated values.
func TestResponsesHaveTheDocumentedFormat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := start(t, simulator.Options{Behaviour: simulator.Steady})
		sample := `{"phone_number": "+12025551234", "name": "John Smith", "role": "presenter"}`
		added := c.want(http.StatusOK, http.MethodPost, participantsPath(conferenceID), sample)
		id := decode[participant](t, added.body).ID
		want := `{"id":"` + id + `","conference_id":"conf_abc123def456","phone_number":"+12025551234","name":"John Smith",` +
			`"role":"presenter","status":"pending","muted":false,"duration":0,"joined_at":null,"created_at":"2000-01-01T00:00:00Z"}`
		if added.body != want {
			t.Errorf("add\n got %s\nwant %s", added.body, want)
		}
		time.Sleep(75 * time.Second)
		joined := decode[participant](t, c.control(http.StatusOK, id, "mute").body)
		listed := c.want(http.StatusOK, http.MethodGet, participantsPath(conferenceID), "")
		want = `{"participants":[{"id":"` + id + `","conference_id":"conf_abc123def456","phone_number":"+12025551234","name":"John Smith",` +
			`"role":"presenter","status":"connected","muted":true,"duration":` + strconv.Itoa(joined.Duration) +
			`,"joined_at":"` + *joined.JoinedAt + `"}],"total":1,"active":1}`
		if listed.body != want {
			t.Errorf("list\n got %s\nwant %s", listed.body, want)
		}
		removed := c.want(http.StatusNoContent, http.MethodDelete, participantsPath(conferenceID)+"/"+id, "")
		if removed.body != "" {
			t.Errorf("remove got %q", removed.body)
		}
	})
}

func TestList_EmptyIsAnArray(t *testing.T) {
	_, c := start(t, simulator.Options{})
	if got := c.do(http.MethodGet, participantsPath(conferenceID), "").body; got != `{"participants":[],"total":0,"active":0}` {
		t.Errorf("got %s", got)
	}
}

func TestAdd_Validation(t *testing.T) {
	long := strings.Repeat("é", 101)
	tests := map[string]struct {
		body, message string
	}{
		"no body":        {``, "invalid json"},
		"no object":      {`[]`, "invalid json"},
		"no number":      {`{"name":"Ada"}`, "field required: phone_number"},
		"null number":    {`{"phone_number":null}`, "field required: phone_number"},
		"empty number":   {`{"phone_number":""}`, "field required: phone_number"},
		"numeric number": {`{"phone_number":12025551234}`, "invalid type: phone_number"},
		"long number":    {`{"phone_number":"+12345678901234567890"}`, "field too long: phone_number"},
		"long name":      {`{"phone_number":"+12025550123","name":"` + long + `"}`, "field too long: name"},
		"unknown role":   {`{"phone_number":"+12025550123","role":"king"}`, "invalid value: role"},
		"muted a string": {`{"phone_number":"+12025550123","muted":"yes"}`, "invalid type: muted"},
		"pin a string":   {`{"phone_number":"+12025550123","send_pin_via_sms":"yes"}`, "invalid type: send_pin_via_sms"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, c := start(t, simulator.Options{})
			resp := c.want(http.StatusBadRequest, http.MethodPost, participantsPath(conferenceID), test.body)
			want := `{"data":{"message":"` + test.message + `"},"error":"400","message":"bad_request","request_id":"req_00000001","status":"error"}`
			if resp.body != want {
				t.Errorf("got %s, want %s", resp.body, want)
			}
			if dials := s.Dials(); len(dials) != 0 {
				t.Errorf("dialled %v", dials)
			}
		})
	}
}

func TestAdd_Accepts(t *testing.T) {
	tests := map[string]struct {
		body string
		want simulator.Participant
	}{
		"number alone":  {`{"phone_number":"+12025550123"}`, simulator.Participant{Role: "listener"}},
		"operator":      {`{"phone_number":"+12025550123","role":"operator"}`, simulator.Participant{Role: "operator"}},
		"name of 100":   {`{"phone_number":"+12025550123","name":"` + strings.Repeat("é", 100) + `"}`, simulator.Participant{Role: "listener", Name: strings.Repeat("é", 100)}},
		"muted":         {`{"phone_number":"+12025550123","muted":true}`, simulator.Participant{Role: "listener", Muted: true}},
		"wrapped":       {`{"data":{"phone_number":"+12025550123","name":"Ada"}}`, simulator.Participant{Role: "listener", Name: "Ada"}},
		"unknown field": {`{"phone_number":"+12025550123","colour":"red"}`, simulator.Participant{Role: "listener"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, c := start(t, simulator.Options{})
			c.want(http.StatusOK, http.MethodPost, participantsPath(conferenceID), test.body)
			got := s.Participants(conferenceID)[0]
			got.ID, got.CreatedAt = "", time.Time{}
			test.want.Conference, test.want.PhoneNumber, test.want.Status = conferenceID, phoneNumber, "pending"
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestDialsContainEveryAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{})
		s.AddParticipant(conferenceID, simulator.Participant{PhoneNumber: "+12025550199"})
		id := c.add(phoneNumber).ID
		resp := c.want(http.StatusOK, http.MethodPost, participantsPath("other"), `{"phone_number":"+12025550124","send_pin_via_sms":true}`)
		want := []simulator.Dial{
			{PhoneNumber: phoneNumber, Conference: conferenceID, Participant: id, Time: time.Now()},
			{PhoneNumber: "+12025550124", Conference: "other", Participant: decode[participant](t, resp.body).ID, PINBySMS: true, Time: time.Now()},
		}
		if got := s.Dials(); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestRemove(t *testing.T) {
	tests := map[string]struct {
		options simulator.Options
		twice   int
		listed  []string
	}{
		"gone at once":        {simulator.Options{}, http.StatusNotFound, nil},
		"lingers":             {simulator.Options{LingerDisconnected: time.Minute}, http.StatusNotFound, []string{"disconnected"}},
		"twice succeeds":      {simulator.Options{RemoveTwice: true}, http.StatusNoContent, nil},
		"twice while it lags": {simulator.Options{ListLag: time.Minute}, http.StatusNotFound, []string{"pending"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.options.Behaviour = simulator.Still
			s, c := start(t, test.options)
			id := s.AddParticipant(conferenceID, simulator.Participant{PhoneNumber: phoneNumber}).ID
			c.remove(id)
			c.want(test.twice, http.MethodDelete, participantsPath(conferenceID)+"/"+id, "")
			if got := statuses(c.list().Participants); !slices.Equal(got, test.listed) {
				t.Errorf("listed %v, want %v", got, test.listed)
			}
		})
	}
}

func TestWhichConferencesExist(t *testing.T) {
	tests := map[string]struct {
		options simulator.Options
		path    string
		status  int
	}{
		"any by default": {simulator.Options{}, participantsPath("conf_new"), http.StatusOK},
		"unknown":        {simulator.Options{KnownOnly: true}, participantsPath("conf_new"), http.StatusNotFound},
		"known":          {simulator.Options{KnownOnly: true, Conferences: []string{"conf_new"}}, participantsPath("conf_new"), http.StatusOK},
		"account-scoped": {simulator.Options{}, "/v2/accounts/acc1/conferences/conf_new/participants", http.StatusOK},
		"no such path":   {simulator.Options{}, "/v2/callflows", http.StatusNotFound},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, c := start(t, test.options)
			c.want(test.status, http.MethodGet, test.path, "")
		})
	}
}

func TestUnknownConference_EveryOperation(t *testing.T) {
	s, c := start(t, simulator.Options{KnownOnly: true})
	path := participantsPath(conferenceID)
	requests := []struct{ method, path string }{
		{http.MethodPost, path},
		{http.MethodGet, path},
		{http.MethodDelete, path + "/part_1"},
		{http.MethodPost, path + "/part_1/mute"},
		{http.MethodPost, "/v2/conferences/" + conferenceID + "/mute-all"},
	}
	for _, r := range requests {
		resp := c.want(http.StatusNotFound, r.method, r.path, `{"phone_number":"+12025550123"}`)
		if !strings.Contains(resp.body, `"message":"conference not found"`) {
			t.Errorf("%s %s: %s", r.method, r.path, resp.body)
		}
	}
	if s.Participants(conferenceID) != nil {
		t.Error("the conference was created")
	}
}

func TestMaxParticipants(t *testing.T) {
	s, c := start(t, simulator.Options{MaxParticipants: 2, Behaviour: simulator.Still, LingerDisconnected: time.Hour})
	s.AddParticipant(conferenceID, simulator.Participant{Status: "disconnected"})
	c.add(phoneNumber)
	id := c.add("+12025550124").ID
	resp := c.want(http.StatusConflict, http.MethodPost, participantsPath(conferenceID), `{"phone_number":"+12025550125"}`)
	if !strings.Contains(resp.body, `"message":"conference_full"`) {
		t.Errorf("got %s", resp.body)
	}
	c.remove(id)
	c.add("+12025550125")
}

func TestMaxParticipants_AtMostAThousand(t *testing.T) {
	s, c := start(t, simulator.Options{MaxParticipants: 5000, Behaviour: simulator.Still})
	for range 1000 {
		s.AddParticipant(conferenceID, simulator.Participant{})
	}
	c.want(http.StatusConflict, http.MethodPost, participantsPath(conferenceID), `{"phone_number":"+12025550125"}`)
	if got := c.list(); got.Total != 1000 || len(got.Participants) != 1000 {
		t.Errorf("listed %d of %d", len(got.Participants), got.Total)
	}
}

func TestEnvelope(t *testing.T) {
	_, c := start(t, simulator.Options{Envelope: true, Behaviour: simulator.Still})
	added := c.want(http.StatusOK, http.MethodPost, participantsPath(conferenceID), `{"phone_number":"+12025550123"}`)
	want := []string{"auth_token", "data", "request_id", "revision", "status", "tokens"}
	if got := keys(t, added.body); !slices.Equal(got, want) {
		t.Errorf("add has %v, want %v", got, want)
	}
	listed := decode[struct {
		Data roster `json:"data"`
	}](t, c.do(http.MethodGet, participantsPath(conferenceID), "").body)
	if listed.Data.Total != 1 || len(listed.Data.Participants) != 1 {
		t.Errorf("listed %+v", listed)
	}
	removed := c.want(http.StatusOK, http.MethodDelete, participantsPath(conferenceID)+"/"+listed.Data.Participants[0].ID, "")
	if !strings.Contains(removed.body, `"data":{}`) {
		t.Errorf("remove: %s", removed.body)
	}
}

func TestEnvelope_ListAsData(t *testing.T) {
	s, c := start(t, simulator.Options{Envelope: true, ListAsData: true, PageSize: 1, Behaviour: simulator.Still})
	s.AddParticipant(conferenceID, simulator.Participant{})
	s.AddParticipant(conferenceID, simulator.Participant{})
	listed := decode[struct {
		Data         []participant `json:"data"`
		NextStartKey string        `json:"next_start_key"`
		PageSize     int           `json:"page_size"`
	}](t, c.do(http.MethodGet, participantsPath(conferenceID), "").body)
	if len(listed.Data) != 1 || listed.NextStartKey != "2" || listed.PageSize != 1 {
		t.Errorf("listed %+v", listed)
	}
}
