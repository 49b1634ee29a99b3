package main

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// arrivals are when the upstream received requests. The simulator's history is shorter than a run.
type arrivals struct {
	mu    sync.Mutex
	adds  []time.Time            // guarded by mu
	lists map[string][]time.Time // guarded by mu; by conference, each page
}

// record records each request before it is served.
func (a *arrivals) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.add(r.Method, r.URL.Path)
		next.ServeHTTP(w, r)
	})
}

func (a *arrivals) add(method, path string) {
	conference, isParticipants := strings.CutSuffix(strings.TrimPrefix(path, "/v2/conferences/"), "/participants")
	if !isParticipants {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch method {
	case http.MethodPost:
		a.adds = append(a.adds, time.Now())
	case http.MethodGet:
		if a.lists == nil {
			a.lists = map[string][]time.Time{}
		}
		a.lists[conference] = append(a.lists[conference], time.Now())
	}
}

// of returns the times of the adds, or of the lists of a conference.
func (a *arrivals) of(operation simulator.Operation, conference string) []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if operation == simulator.Add {
		return slices.Clone(a.adds)
	}
	return slices.Clone(a.lists[conference])
}
