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

// Conference returns the id of a conference in which a number of participants change from
// each list to the next. The durations of all of them tick with the time, each at its own moment of
// a second.
func Conference(participants, changed int) string {
	return fmt.Sprintf("conf-%d-%d", participants, changed)
}

// upstream answers with lists that it made before, so that it takes little of the machine's time.
// Only their durations are written anew.
type upstream struct {
	mu          sync.Mutex
	conferences map[string]*conference
}

type conference struct {
	began  time.Time
	served atomic.Int64
	// lists follow one another, again and again. Their durations have firstDuration's number of digits.
	lists [2]list
}

// firstDuration is the first duration of each participant, in seconds. Later ones have as many digits
// for two hours.
const firstDuration = 2000

type list struct {
	body []byte
	// durations are where the digits of each duration begin.
	durations []int
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
	body := c.next(time.Now())
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
	c := &conference{began: time.Now(), lists: [2]list{newList(id, participants, 0), newList(id, participants, changed)}}
	u.conferences[id] = c
	return c, nil
}

// newList returns the list in which the first participants are held.
func newList(id string, participants, held int) (l list) {
	var body bytes.Buffer
	body.WriteString(`{"participants":[`)
	for i := range participants {
		if i > 0 {
			body.WriteByte(',')
		}
		status := "connected"
		if i < held {
			status = "held"
		}
		fmt.Fprintf(&body, `{"id":"part_%06d","conference_id":%q,"phone_number":"+1202555%04d","name":"Participant %d",`+
			`"role":"listener","status":%q,"muted":false,"duration":`, i, id, i, i, status)
		l.durations = append(l.durations, body.Len())
		fmt.Fprintf(&body, `%d,"joined_at":"2026-02-04T11:15:30Z"}`, firstDuration)
	}
	fmt.Fprintf(&body, `],"total":%d,"active":%d}`, participants, participants)
	l.body = body.Bytes()
	return l
}

// next returns the next list, at a time.
func (c *conference) next(at time.Time) []byte {
	l := c.lists[int(c.served.Add(1))%len(c.lists)]
	body := bytes.Clone(l.body)
	for i, begin := range l.durations {
		phase := time.Second * time.Duration(i) / time.Duration(len(l.durations))
		seconds := firstDuration + int64((at.Sub(c.began)+phase)/time.Second)
		strconv.AppendInt(body[:begin], seconds, 10)
	}
	return body
}

// serveHTTP serves until the listener is closed.
func serveHTTP(listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return fmt.Errorf("serve HTTP: %w", server.Serve(listener))
}
