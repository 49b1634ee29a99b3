package simulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/audian/participant-gateway/internal/simulator"
)

const (
	conferenceID = "conf_abc123def456"
	inMemoryURL  = "http://simulator"
	phoneNumber  = "+12025550123"
)

// client is an HTTP client of a simulator.
type client struct {
	t      *testing.T
	http   *http.Client
	base   string
	header http.Header
}

// start returns a simulator and a client without a socket.
func start(t *testing.T, o simulator.Options) (*simulator.Simulator, *client) {
	t.Helper()
	s := simulator.New(o)
	return s, &client{
		t: t, base: inMemoryURL, header: http.Header{"X-Auth-Token": {"token"}},
		http: &http.Client{
			Transport:     s.Transport(),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// with returns the client with only this header.
func (c *client) with(name, value string) *client {
	other := *c
	other.header = http.Header{}
	if name != "" {
		other.header.Set(name, value)
	}
	return &other
}

// response is a response whose body was read.
type response struct {
	status int
	header http.Header
	body   string
}

func (c *client) try(method, path, body string) (response, error) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, bytes.NewBufferString(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header = c.header.Clone()
	resp, err := c.http.Do(r)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	return response{resp.StatusCode, resp.Header, string(read)}, err
}

func (c *client) do(method, path, body string) response {
	c.t.Helper()
	resp, err := c.try(method, path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp
}

// want sends a request and fails unless the response has the status.
func (c *client) want(status int, method, path, body string) response {
	c.t.Helper()
	resp := c.do(method, path, body)
	if resp.status != status {
		c.t.Fatalf("%s %s: status %d, want %d: %s", method, path, resp.status, status, resp.body)
	}
	return resp
}

func participantsPath(conference string) string {
	return "/v2/conferences/" + conference + "/participants"
}

// participant is the part of the wire format that tests compare.
type participant struct {
	ID       string  `json:"id"`
	Status   string  `json:"status"`
	Muted    bool    `json:"muted"`
	Duration int     `json:"duration"`
	JoinedAt *string `json:"joined_at"`
}

type roster struct {
	Participants []participant `json:"participants"`
	Total        int           `json:"total"`
	Active       int           `json:"active"`
	PageSize     int           `json:"page_size"`
	NextStartKey string        `json:"next_start_key"`
}

func (c *client) add(number string) participant {
	c.t.Helper()
	body := fmt.Sprintf(`{"phone_number":%q}`, number)
	return decode[participant](c.t, c.want(http.StatusOK, http.MethodPost, participantsPath(conferenceID), body).body)
}

func (c *client) list() roster { c.t.Helper(); return c.page("") }

func (c *client) page(query string) roster {
	c.t.Helper()
	return decode[roster](c.t, c.want(http.StatusOK, http.MethodGet, participantsPath(conferenceID)+query, "").body)
}

func (c *client) remove(id string) {
	c.t.Helper()
	c.want(http.StatusNoContent, http.MethodDelete, participantsPath(conferenceID)+"/"+id, "")
}

func (c *client) control(status int, id, word string) response {
	c.t.Helper()
	return c.want(status, http.MethodPost, participantsPath(conferenceID)+"/"+id+"/"+word, "{}")
}

func decode[T any](t *testing.T, body string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("decode %s: %v", body, err)
	}
	return v
}

func ids(participants []participant) (all []string) {
	for _, p := range participants {
		all = append(all, p.ID)
	}
	return all
}

func statuses(participants []participant) (all []string) {
	for _, p := range participants {
		all = append(all, p.Status)
	}
	return all
}

// mapped returns one field of each participant.
func mapped(participants []simulator.Participant, field func(simulator.Participant) string) []string {
	all := make([]string, 0, len(participants))
	for _, p := range participants {
		all = append(all, field(p))
	}
	return all
}

func participantID(p simulator.Participant) string { return p.ID }

func participantStatus(p simulator.Participant) string { return p.Status }
