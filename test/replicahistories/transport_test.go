package replicahistories_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// transport carries a replica's requests to the simulator.
type transport struct{ replica *replica }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	w, began := t.replica.world, time.Now()
	if err := t.replica.gate.pass(); err != nil {
		return nil, err
	}
	if !w.delay(r.Context()) {
		return nil, r.Context().Err()
	}
	response, err := w.upstream.Transport().RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, broken := io.ReadAll(response.Body)
	w.shown.note(r, response.StatusCode, body, began)
	var rest io.Reader = bytes.NewReader(body)
	if broken != nil {
		rest = io.MultiReader(rest, brokenBody{broken})
	}
	response.Body = io.NopCloser(rest)
	if err := t.replica.gate.pass(); err != nil {
		return nil, err
	}
	return response, nil
}

// brokenBody is the rest of a body whose connection was closed.
type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }

// delay is how long a request takes to the upstream.
func (w *world) delay(ctx context.Context) bool {
	select {
	case <-time.After(w.latency):
		return true
	case <-ctx.Done():
		return false
	}
}

// note records what a response shows.
func (s *shown) note(r *http.Request, status int, body []byte, began time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if token := r.Header.Get("X-Auth-Token"); token != "" {
		s.tokens[token] = true
	}
	id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch {
	case strings.HasSuffix(r.URL.Path, "/api_auth"):
		s.exchanges++
	case r.Method == http.MethodDelete && (status < http.StatusMultipleChoices || status == http.StatusNotFound):
		s.removed[id] = true
	case status >= http.StatusMultipleChoices:
	case r.Method == http.MethodGet:
		s.noteList(body, began)
	default:
		s.noteControl(r.URL.Path)
		s.walk(body)
	}
}

// controlled are the statuses that controls name, by the last part of their path.
var controlled = map[string]string{"hold": "held", "resume": "connected", "disconnect": "disconnected"}

// noteControl records the status that a control names although its answer shows nobody. s.mu is
// held.
func (s *shown) noteControl(path string) {
	parts := strings.Split(path, "/")
	if status, ok := controlled[parts[len(parts)-1]]; ok {
		s.statuses[named{parts[len(parts)-2], status}] = true
	}
}

// noteList records whom a list shows, and so whom it lacks. s.mu is held.
func (s *shown) noteList(body []byte, began time.Time) {
	s.lists = append(s.lists, list{began: began, ended: time.Now(), ids: s.walk(body)})
}

// walk records the participants in a body, and returns their ids. s.mu is held.
func (s *shown) walk(body []byte) map[string]bool {
	ids := map[string]bool{}
	var value any
	if json.Unmarshal(body, &value) != nil {
		return ids
	}
	s.walkValue(value, ids)
	return ids
}

func (s *shown) walkValue(value any, ids map[string]bool) {
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			s.walkValue(one, ids)
		}
	case map[string]any:
		id, _ := v["id"].(string)
		if status, ok := v["status"].(string); ok && id != "" {
			ids[id] = true
			s.statuses[named{id, status}] = true
		}
		for _, one := range v {
			s.walkValue(one, ids)
		}
	}
}
