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
	room      = "conf_abc123def456"
	inMemory  = "http://simulator"
	oneNumber = "+12025550123"
)

// client speaks to a simulator as any HTTP client would.
type client struct {
	t      *testing.T
	http   *http.Client
	base   string
	header http.Header
}

// start is a simulator and a client that needs no socket.
func start(t *testing.T, o simulator.Options) (*simulator.Simulator, *client) {
	t.Helper()
	s := simulator.New(o)
	return s, &client{
		t: t, base: inMemory, header: http.Header{"X-Auth-Token": {"token"}},
		http: &http.Client{
			Transport:     s.Transport(),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// with is the client with another header.
func (c *client) with(name, value string) *client {
	other := *c
	other.header = http.Header{}
	if name != "" {
		other.header.Set(name, value)
	}
	return &other
}

// response is an answer that was read to its end.
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
	answer, err := c.http.Do(r)
	if err != nil {
		return response{}, err
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	return response{answer.StatusCode, answer.Header, string(read)}, err
}

func (c *client) do(method, path, body string) response {
	c.t.Helper()
	answer, err := c.try(method, path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer
}

// want does a request that has to be answered with a status.
func (c *client) want(status int, method, path, body string) response {
	c.t.Helper()
	answer := c.do(method, path, body)
	if answer.status != status {
		c.t.Fatalf("%s %s: status %d, want %d: %s", method, path, answer.status, status, answer.body)
	}
	return answer
}

func people(conference string) string { return "/v2/conferences/" + conference + "/participants" }

// participant is what tests read of the wire.
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
	return decode[participant](c.t, c.want(http.StatusOK, http.MethodPost, people(room), body).body)
}

func (c *client) list() roster { c.t.Helper(); return c.page("") }

func (c *client) page(query string) roster {
	c.t.Helper()
	return decode[roster](c.t, c.want(http.StatusOK, http.MethodGet, people(room)+query, "").body)
}

func (c *client) remove(id string) {
	c.t.Helper()
	c.want(http.StatusNoContent, http.MethodDelete, people(room)+"/"+id, "")
}

func (c *client) control(status int, id, word string) response {
	c.t.Helper()
	return c.want(status, http.MethodPost, people(room)+"/"+id+"/"+word, "{}")
}

func decode[T any](t *testing.T, body string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("decode %s: %v", body, err)
	}
	return v
}

func ids(people []participant) (all []string) {
	for _, p := range people {
		all = append(all, p.ID)
	}
	return all
}

func statuses(people []participant) (all []string) {
	for _, p := range people {
		all = append(all, p.Status)
	}
	return all
}

// of is what tests compare of the truth.
func of(people []simulator.Person, field func(simulator.Person) string) []string {
	all := make([]string, 0, len(people))
	for _, p := range people {
		all = append(all, field(p))
	}
	return all
}

func personID(p simulator.Person) string { return p.ID }

func personStatus(p simulator.Person) string { return p.Status }
