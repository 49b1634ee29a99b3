package simulator

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Simulator is a fake of the API. Its methods are safe for concurrent use.
type Simulator struct {
	options Options
	handler http.Handler

	mu    sync.Mutex
	state *state // guarded by mu
}

// state is everything that changes.
type state struct {
	conferences map[string]*conference
	accounts    map[string]*account
	tokens      map[string]issuedToken
	faults      []*activeFault
	injected    int
	random      *rand.Rand
	requests    int
	history     history
	dials       []Dial
	controls    []ControlChange
}

// New returns a simulator of the API that the options describe.
func New(options Options) *Simulator {
	s := &Simulator{options: options.withDefaults()}
	s.handler = s.routes()
	s.Reset()
	return s
}

// Handler serves the API under /v2 and the admin API under /_simulator/.
func (s *Simulator) Handler() http.Handler { return s.handler }

// Reset returns to the state after New: with the faults of the options, without history,
// and without the tokens that were issued for API keys.
func (s *Simulator) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = &state{
		conferences: map[string]*conference{},
		accounts:    map[string]*account{},
		tokens:      map[string]issuedToken{},
		random:      newGenerator(s.options.Seed, 1, "chance").Rand,
	}
	for _, id := range s.options.Conferences {
		s.state.create(id)
	}
	if s.options.Demo {
		s.state.create(DemoConference).seats = newSeats(time.Now(), &s.options)
	}
	for _, f := range s.options.Faults {
		s.state.inject(f)
	}
}

func (st *state) create(id string) *conference {
	c := &conference{id: id}
	st.conferences[id] = c
	return c
}

// lookup returns the conference of a request as of now, nil if the API knows none. It
// creates an unknown conference unless the options forbid it.
func (s *Simulator) lookup(id string, now time.Time) *conference {
	if s.state.conferences[id] == nil && !s.options.KnownOnly && !s.options.Demo {
		s.state.create(id)
	}
	return s.existing(id, now)
}

// getOrCreate returns the conference as of now, and creates an unknown or deleted one.
func (s *Simulator) getOrCreate(id string, now time.Time) *conference {
	if c := s.existing(id, now); c != nil {
		return c
	}
	return s.state.create(id)
}

// existing returns the conference as of now, nil if it is unknown or deleted.
func (s *Simulator) existing(id string, now time.Time) *conference {
	c := s.state.conferences[id]
	if c == nil || c.deleted {
		return nil
	}
	c.advance(now, &s.options)
	return c
}

// conferenceIDs returns the existing conferences, sorted.
func (st *state) conferenceIDs() []string {
	var ids []string
	for id, c := range st.conferences {
		if !c.deleted {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
