package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// help is told at /_simulator/.
const help = `The simulator's backstage. Bodies are JSON.

GET    /_simulator/faults                    the faults that wait for requests
POST   /_simulator/faults                    make one: {"kind":"status","operation":"list","status":503,"body":"html","times":3}
DELETE /_simulator/faults[/{id}]             take all away, or one
GET    /_simulator/history                   the last 1,000 requests
GET    /_simulator/dials                     every phone that rang because of an add
GET    /_simulator/conferences               the conferences
GET    /_simulator/conferences/{id}          who is there now, whatever lists say
DELETE /_simulator/conferences/{id}          end it: 404 from now on
POST   /_simulator/conferences/{id}/participants                 let somebody in: {"phone_number":"+12025550100","name":"Ada"}
POST   /_simulator/conferences/{id}/participants/{id}/status     {"status":"held"}
DELETE /_simulator/conferences/{id}/participants/{id}            let them vanish
POST   /_simulator/tokens/expire             make exchanged tokens worthless
POST   /_simulator/reset                     begin again

Kinds of fault: latency late status error_envelope redirect cut lost reset garbage partial shift total null odd detached.
"later_pages":true keeps any of them to the pages of a list after its first.
`

// manage puts the backstage on the handler. It asks for no credential: the simulator
// is for loopback.
func (s *Simulator) manage(mux *http.ServeMux) {
	const person = "/_simulator/conferences/{conference}/participants/{participant}"
	routes := map[string]backstage{
		"GET /_simulator/faults":                                 s.showFaults,
		"POST /_simulator/faults":                                s.makeFault,
		"DELETE /_simulator/faults":                              done(s.ClearFaults),
		"DELETE /_simulator/faults/{fault}":                      s.takeFault,
		"GET /_simulator/history":                                s.showHistory,
		"GET /_simulator/dials":                                  s.showDials,
		"GET /_simulator/conferences":                            s.showConferences,
		"GET /_simulator/conferences/{conference}":               s.showTruth,
		"DELETE /_simulator/conferences/{conference}":            s.endConference,
		"POST /_simulator/conferences/{conference}/participants": s.letIn,
		"POST " + person + "/status":                             s.putStatus,
		"DELETE " + person:                                       s.letVanish,
		"POST /_simulator/tokens/expire":                         done(s.ExpireTokens),
		"POST /_simulator/reset":                                 done(s.Reset),
	}
	for pattern, show := range routes {
		mux.HandleFunc(pattern, show.serve)
	}
	mux.HandleFunc("GET /_simulator/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, help)
	})
}

// backstage answers a request of the management: a body (nil: none), or what is
// wrong.
type backstage func(r *http.Request) (body any, err error)

// errMissing is something asked for that is not there.
var errMissing = errors.New("no such thing")

func (b backstage) serve(w http.ResponseWriter, r *http.Request) {
	body, err := b(r)
	switch {
	case errors.Is(err, errMissing):
		http.Error(w, err.Error(), http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case body == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", "application/json")
		pretty := json.NewEncoder(w)
		pretty.SetIndent("", "  ")
		_ = pretty.Encode(body) //nolint:errchkjson // The bodies are plain structs, and a caller who left is no loss.
	}
}

func done(act func()) backstage {
	return func(*http.Request) (any, error) { act(); return nil, nil }
}

// found is errMissing where nothing was found.
func found(ok bool) error {
	if !ok {
		return errMissing
	}
	return nil
}

func (s *Simulator) showFaults(*http.Request) (any, error) { return s.Faults(), nil }

func (s *Simulator) makeFault(r *http.Request) (any, error) {
	var f Fault
	if err := read(r, &f); err != nil {
		return nil, err
	}
	return map[string]string{"id": s.Inject(f)}, nil
}

func (s *Simulator) takeFault(r *http.Request) (any, error) {
	return nil, found(s.ClearFault(r.PathValue("fault")))
}

func (s *Simulator) showHistory(*http.Request) (any, error) { return s.History(), nil }

func (s *Simulator) showDials(*http.Request) (any, error) {
	return append([]Dial{}, s.Dials()...), nil
}

// roomSummary is one line of the conferences.
type roomSummary struct {
	ID     string `json:"id"`
	Total  int    `json:"total"`
	Active int    `json:"active"`
}

func (s *Simulator) showConferences(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	ids := s.world.conferenceIDs()
	rooms := make([]roomSummary, 0, len(ids))
	for _, id := range ids {
		room := roomSummary{ID: id}
		for _, p := range s.standing(id, now).truth(now, &s.options) {
			room.Total++
			if isActive(p.Status) {
				room.Active++
			}
		}
		rooms = append(rooms, room)
	}
	return rooms, nil
}

func (s *Simulator) showTruth(r *http.Request) (any, error) {
	people := s.Truth(r.PathValue("conference"))
	return people, found(people != nil)
}

func (s *Simulator) endConference(r *http.Request) (any, error) {
	return nil, found(s.DeleteConference(r.PathValue("conference")))
}

func (s *Simulator) letIn(r *http.Request) (any, error) {
	var who Person
	if err := read(r, &who); err != nil {
		return nil, err
	}
	return s.AddPerson(r.PathValue("conference"), who), nil
}

func (s *Simulator) putStatus(r *http.Request) (any, error) {
	var asked struct {
		Status string `json:"status"`
	}
	if err := read(r, &asked); err != nil {
		return nil, err
	}
	if asked.Status == "" {
		return nil, errors.New("status is required")
	}
	return nil, found(s.SetStatus(r.PathValue("conference"), r.PathValue("participant"), asked.Status))
}

func (s *Simulator) letVanish(r *http.Request) (any, error) {
	return nil, found(s.RemovePerson(r.PathValue("conference"), r.PathValue("participant")))
}

// read decodes a body and refuses what it does not know.
func read(r *http.Request, into any) error {
	strict := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	strict.DisallowUnknownFields()
	if err := strict.Decode(into); err != nil {
		return fmt.Errorf("decode body: %w", err)
	}
	return nil
}
