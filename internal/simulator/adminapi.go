package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// help is the text at /_simulator/.
const help = `The simulator's admin API. Bodies are JSON.

GET    /_simulator/faults                    list the active faults
POST   /_simulator/faults                    inject a fault: {"kind":"status","operation":"list","status":503,"body":"html","times":3}
DELETE /_simulator/faults[/{id}]             clear all faults, or one
GET    /_simulator/history                   list the last 1,000 requests
GET    /_simulator/dials                     list the phone calls that adds started
GET    /_simulator/conferences               list the conferences
GET    /_simulator/conferences/{id}          list the actual participants, without list lag
DELETE /_simulator/conferences/{id}          delete a conference: 404 from now on
POST   /_simulator/conferences/{id}/participants                 add a participant: {"phone_number":"+12025550100","name":"Ada"}
POST   /_simulator/conferences/{id}/participants/{id}/status     set a status: {"status":"held"}
DELETE /_simulator/conferences/{id}/participants/{id}            remove a participant at once
POST   /_simulator/tokens/expire             expire the tokens that were issued for API keys
POST   /_simulator/reset                     reset the simulator to its initial state

Kinds of fault: latency late status error_envelope redirect cut lost reset garbage partial shift total null unusual_json detached.
"later_pages":true limits a fault to the pages of a list after the first.
`

// adminRoutes registers the admin API. It needs no credential: the simulator is for
// loopback.
func (s *Simulator) adminRoutes(mux *http.ServeMux) {
	const participant = "/_simulator/conferences/{conference}/participants/{participant}"
	routes := map[string]adminHandler{
		"GET /_simulator/faults":                                 s.getFaults,
		"POST /_simulator/faults":                                s.postFault,
		"DELETE /_simulator/faults":                              action(s.ClearFaults),
		"DELETE /_simulator/faults/{fault}":                      s.deleteFault,
		"GET /_simulator/history":                                s.getHistory,
		"GET /_simulator/dials":                                  s.getDials,
		"GET /_simulator/conferences":                            s.getConferences,
		"GET /_simulator/conferences/{conference}":               s.getParticipants,
		"DELETE /_simulator/conferences/{conference}":            s.deleteConference,
		"POST /_simulator/conferences/{conference}/participants": s.postParticipant,
		"POST " + participant + "/status":                        s.postStatus,
		"DELETE " + participant:                                  s.deleteParticipant,
		"POST /_simulator/tokens/expire":                         action(s.ExpireTokens),
		"POST /_simulator/reset":                                 action(s.Reset),
	}
	for pattern, handler := range routes {
		mux.HandleFunc(pattern, handler.serve)
	}
	mux.HandleFunc("GET /_simulator/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, help)
	})
}

// adminHandler returns the body of the response (nil for none), or an error.
type adminHandler func(r *http.Request) (body any, err error)

var errNotFound = errors.New("not found")

func (h adminHandler) serve(w http.ResponseWriter, r *http.Request) {
	body, err := h(r)
	switch {
	case errors.Is(err, errNotFound):
		http.Error(w, err.Error(), http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case body == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", "application/json")
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(body) //nolint:errchkjson // The bodies are plain structs, and a closed connection is no error here.
	}
}

func action(do func()) adminHandler {
	return func(*http.Request) (any, error) { do(); return nil, nil }
}

// notFoundUnless returns errNotFound unless something was found.
func notFoundUnless(found bool) error {
	if !found {
		return errNotFound
	}
	return nil
}

func (s *Simulator) getFaults(*http.Request) (any, error) { return s.Faults(), nil }

func (s *Simulator) postFault(r *http.Request) (any, error) {
	var f Fault
	if err := decodeBody(r, &f); err != nil {
		return nil, err
	}
	return map[string]string{"id": s.Inject(f)}, nil
}

func (s *Simulator) deleteFault(r *http.Request) (any, error) {
	return nil, notFoundUnless(s.ClearFault(r.PathValue("fault")))
}

func (s *Simulator) getHistory(*http.Request) (any, error) { return s.History(), nil }

func (s *Simulator) getDials(*http.Request) (any, error) {
	return append([]Dial{}, s.Dials()...), nil
}

// conferenceSummary is one entry of the list of conferences.
type conferenceSummary struct {
	ID     string `json:"id"`
	Total  int    `json:"total"`
	Active int    `json:"active"`
}

func (s *Simulator) getConferences(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	ids := s.state.conferenceIDs()
	summaries := make([]conferenceSummary, 0, len(ids))
	for _, id := range ids {
		summary := conferenceSummary{ID: id}
		for _, p := range s.existing(id, now).actual(now, &s.options) {
			summary.Total++
			if isActive(p.Status) {
				summary.Active++
			}
		}
		summaries = append(summaries, summary)
	}
	return summaries, nil
}

func (s *Simulator) getParticipants(r *http.Request) (any, error) {
	participants := s.Participants(r.PathValue("conference"))
	return participants, notFoundUnless(participants != nil)
}

func (s *Simulator) deleteConference(r *http.Request) (any, error) {
	return nil, notFoundUnless(s.DeleteConference(r.PathValue("conference")))
}

func (s *Simulator) postParticipant(r *http.Request) (any, error) {
	var p Participant
	if err := decodeBody(r, &p); err != nil {
		return nil, err
	}
	return s.AddParticipant(r.PathValue("conference"), p), nil
}

func (s *Simulator) postStatus(r *http.Request) (any, error) {
	var req struct {
		Status string `json:"status"`
	}
	if err := decodeBody(r, &req); err != nil {
		return nil, err
	}
	if req.Status == "" {
		return nil, errors.New("status is required")
	}
	return nil, notFoundUnless(s.SetStatus(r.PathValue("conference"), r.PathValue("participant"), req.Status))
}

func (s *Simulator) deleteParticipant(r *http.Request) (any, error) {
	return nil, notFoundUnless(s.RemoveParticipant(r.PathValue("conference"), r.PathValue("participant")))
}

// decodeBody decodes a body and refuses unknown fields.
func decodeBody(r *http.Request, into any) error {
	strict := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	strict.DisallowUnknownFields()
	if err := strict.Decode(into); err != nil {
		return fmt.Errorf("decode body: %w", err)
	}
	return nil
}
