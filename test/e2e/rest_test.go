package e2e_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/simulator"
)

// The samples of Audian's documentation; only the base URL differs.
const (
	curlBody = `{
"phone_number": "+12025551234",
"name": "John Smith",
"role": "presenter"
}`
	webinarBody = `{
"phone_number": "+12025551234",
"name": "Participant",
"role": "listener",
"muted": true
}`
	axiosBody = `{"phone_number":"+12025551234","name":"John Smith","role":"presenter","muted":false}`
)

func TestVendorSamples_Add(t *testing.T) {
	g := start(t, simulator.Options{Behaviour: simulator.Still})
	for name, sample := range map[string]struct{ body, header, want string }{
		"curl":    {curlBody, "X-Auth-Token: YOUR_API_KEY", `"name":"John Smith","role":"presenter","status":"pending","muted":false`},
		"axios":   {axiosBody, "Authorization: Bearer YOUR_API_KEY", `"name":"John Smith","role":"presenter","status":"pending","muted":false`},
		"webinar": {webinarBody, "X-Auth-Token: YOUR_API_KEY", `"name":"Participant","role":"listener","status":"pending","muted":true`},
	} {
		t.Run(name, func(t *testing.T) {
			got := g.call("POST", path(""), sample.body, sample.header)
			want := regexp.MustCompile(`^\{"id":"part_[a-z0-9]+","conference_id":"` + conferenceID + `","phone_number":"\+12025551234",` +
				regexp.QuoteMeta(sample.want) + `,"duration":0,"joined_at":null,"created_at":"20[0-9T:.-]+Z"\}$`)
			if got.status != http.StatusOK || !want.MatchString(got.body) {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if got.header.Get("Content-Type") != "application/json" {
				t.Errorf("Content-Type: got %q", got.header.Get("Content-Type"))
			}
		})
	}
}

func TestVendorSamples_ListAndRemove(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	g.upstream.AddParticipant(conferenceID, simulator.Participant{ID: "part_xyz789", PhoneNumber: "+12025551234", Name: "John Smith", Role: "presenter", Status: "pending"})
	g.upstream.AddParticipant(conferenceID, simulator.Participant{ID: "part_abc111", PhoneNumber: "+12025555678", Name: "Jane Doe", Status: "connected", Muted: true})

	got := g.call("GET", path(""), "", "X-Auth-Token: YOUR_API_KEY")
	joined := regexp.MustCompile(`"duration":\d+,"joined_at":"[^"]+"`)
	const want = `{"participants":[{"id":"part_xyz789","conference_id":"conf_abc123def456","phone_number":"+12025551234","name":"John Smith","role":"presenter","status":"pending","muted":false,"duration":0,"joined_at":null,"created_at":null},` +
		`{"id":"part_abc111","conference_id":"conf_abc123def456","phone_number":"+12025555678","name":"Jane Doe","role":"listener","status":"connected","muted":true,JOINED,"created_at":null}],"total":2,"active":1}`
	body := strings.Replace(joined.ReplaceAllString(got.body, "JOINED"), `,"next_page_token":""`, "", 1)
	if got.status != http.StatusOK || body != want {
		t.Errorf("list: got %d\n%s, want\n%s", got.status, body, want)
	}

	got = g.call("DELETE", path("/part_xyz789"), "", "Authorization: Bearer YOUR_API_KEY")
	if got.status != http.StatusNoContent || got.body != "" {
		t.Errorf("remove: got %d %q", got.status, got.body)
	}
	if remaining := g.upstream.Participants(conferenceID); len(remaining) != 1 || remaining[0].ID != "part_abc111" {
		t.Errorf("remaining: %+v", remaining)
	}
	if got = g.call("DELETE", path("/part_xyz789"), ""); got.status != http.StatusNotFound {
		t.Errorf("remove again: got %d", got.status)
	}
}

func TestList_FiltersAndPages(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	for _, id := range []string{"c", "a", "d", "b"} {
		g.upstream.AddParticipant(conferenceID, simulator.Participant{ID: id, Status: map[bool]string{true: "connected", false: "held"}[id != "d"], Role: "listener"})
	}
	ids := func(query string) string {
		var list struct {
			Participants []struct{ ID string }
			NextToken    string `json:"next_page_token"`
		}
		got := g.call("GET", path(query), "")
		if err := json.Unmarshal([]byte(got.body), &list); err != nil || got.status != http.StatusOK {
			t.Fatalf("%s: %d %s: %v", query, got.status, got.body, err)
		}
		ids := list.NextToken
		for _, p := range list.Participants {
			ids += " " + p.ID
		}
		return ids
	}
	for query, want := range map[string]string{
		"": " c a d b", "?statuses=connected": " c a b", "?page_size=9": " a b c d",
		"?statuses=held&statuses=connected&roles=PARTICIPANT_ROLE_LISTENER": " c a d b",
	} {
		if got := ids(query); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	first := ids("?page_size=3")
	token, items, _ := strings.Cut(first, " ")
	if items != "a b c" || token == "" {
		t.Fatalf("first page: got %q", first)
	}
	if got := ids("?page_size=3&page_token=" + token); got != " d" {
		t.Errorf("second page: got %q", got)
	}
	if got := g.call("GET", path("?statuses=held&page_token="+token), ""); got.status != http.StatusBadRequest {
		t.Errorf("a page token of another filter: got %d", got.status)
	}
}

func TestREST_OtherMethodsAreNotAllowed(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	for target, want := range map[string][]string{
		path(""):           {"GET", "HEAD", "POST"},
		path("/part"):      {"DELETE", "GET", "HEAD"},
		path("/part/mute"): {"POST"},
		path(":watch"):     {"GET", "HEAD"},
		path(":refresh"):   {"POST"},
	} {
		for _, method := range []string{"PUT", "PATCH"} {
			got := g.call(method, target, `{}`)
			allowed := strings.Split(got.header.Get("Allow"), ", ")
			if got.status != http.StatusMethodNotAllowed || !slices.Equal(slices.Sorted(slices.Values(allowed)), want) {
				t.Errorf("%s %s: got %d, Allow %v", method, target, got.status, allowed)
			}
			if reason, _ := failure(t, got); reason != "METHOD_NOT_ALLOWED" {
				t.Errorf("%s %s: got reason %s", method, target, reason)
			}
		}
	}
	if got := g.call("POST", path("/part"), "", "X-HTTP-Method-Override: DELETE"); got.status != http.StatusMethodNotAllowed {
		t.Errorf("a method override: got %d", got.status)
	}
}

// failure returns the reason and the invalid fields of an error body.
func failure(t *testing.T, got response) (reason string, fields []string) {
	t.Helper()
	var body struct {
		Error struct {
			Code    int
			Status  string
			Message string
			Details []struct {
				Type       string `json:"@type"`
				Reason     string
				Domain     string
				Metadata   map[string]string
				Violations []struct{ Field string } `json:"field_violations"`
			}
		}
	}
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		t.Fatalf("not an error body: %s", got.body)
	}
	e := body.Error
	if e.Code != got.status || e.Status == "" || e.Message == "" || len(e.Details) == 0 ||
		e.Details[0].Type != "type.googleapis.com/google.rpc.ErrorInfo" || e.Details[0].Domain != "participant-gateway" {
		t.Errorf("got %d %s", got.status, got.body)
		return "", nil
	}
	for _, detail := range e.Details[1:] {
		for _, violation := range detail.Violations {
			fields = append(fields, violation.Field)
		}
	}
	return e.Details[0].Reason, fields
}

// dialled returns the dialled metadata of an add's error.
func dialled(t *testing.T, got response) string {
	t.Helper()
	match := regexp.MustCompile(`"dialled":"([a-z]+)"`).FindStringSubmatch(got.body)
	if match == nil {
		t.Errorf("no dialled metadata: %s", got.body)
		return ""
	}
	return match[1]
}
