package serve

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// generations is how many different lists the upstream has of a conference. It begins again
// after the last: only durations decrease then.
const generations = 60

// Conference returns the id of a conference in which a number of participants change from
// each list to the next. The durations of all of them change.
func Conference(participants, changed int) string {
	return fmt.Sprintf("conf-%d-%d", participants, changed)
}

// upstream answers with lists that were made before, so that it takes little of the
// machine's time.
type upstream struct {
	mu          sync.Mutex
	conferences map[string]*conference
}

type conference struct {
	lists  [][]byte
	served atomic.Int64
}

func serveUpstream(_ context.Context, listener net.Listener, _ Options) error {
	u := &upstream{conferences: map[string]*conference{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/conferences/{id}/participants", u.list)
	mux.HandleFunc("GET /served/{id}", u.served)
	return serveHTTP(listener, mux)
}

func (u *upstream) list(w http.ResponseWriter, r *http.Request) {
	c, err := u.conference(r.PathValue("id"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	body := c.lists[int(c.served.Add(1))%len(c.lists)]
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// served answers how many lists of a conference were served.
func (u *upstream) served(w http.ResponseWriter, r *http.Request) {
	c, err := u.conference(r.PathValue("id"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	_, _ = fmt.Fprint(w, c.served.Load())
}

func (u *upstream) conference(id string) (*conference, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if c := u.conferences[id]; c != nil {
		return c, nil
	}
	var participants, changed int
	if _, err := fmt.Sscanf(id, "conf-%d-%d", &participants, &changed); err != nil {
		return nil, fmt.Errorf("conference %q: %w", id, err)
	}
	c := &conference{}
	for generation := range generations {
		c.lists = append(c.lists, list(id, participants, changed, generation))
	}
	u.conferences[id] = c
	return c, nil
}

// list is the body of a list; the first participants are held in odd generations.
func list(id string, participants, changed, generation int) []byte {
	var body bytes.Buffer
	body.WriteString(`{"participants":[`)
	for i := range participants {
		if i > 0 {
			body.WriteByte(',')
		}
		status := "connected"
		if i < changed && generation%2 == 1 {
			status = "held"
		}
		fmt.Fprintf(&body, `{"id":"part_%06d","conference_id":%q,"phone_number":"+1202555%04d","name":"Participant %d",`+
			`"role":"listener","status":%q,"muted":false,"duration":%d,"joined_at":"2026-02-04T11:15:30Z"}`,
			i, id, i, i, status, 245+generation)
	}
	fmt.Fprintf(&body, `],"total":%d,"active":%d}`, participants, participants)
	return body.Bytes()
}

// serveHTTP serves until the listener is closed.
func serveHTTP(listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return fmt.Errorf("serve HTTP: %w", server.Serve(listener))
}
