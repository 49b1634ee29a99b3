package simulator

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Simulator is one vendor. Its methods may be called at any time, from anywhere.
type Simulator struct {
	options Options
	handler http.Handler

	mu    sync.Mutex
	world *world // guarded by mu
}

// world is all that changes.
type world struct {
	conferences map[string]*conference
	accounts    map[string]*account
	tokens      map[string]issued
	faults      []*armed
	faultsMade  int
	chance      *rand.Rand
	requests    int
	history     history
	dials       []Dial
}

// New returns the vendor that the options describe.
func New(options Options) *Simulator {
	s := &Simulator{options: options.withDefaults()}
	s.handler = s.routes()
	s.Reset()
	return s
}

// Handler serves the vendor's API under /v2, and /_simulator/ beside it.
func (s *Simulator) Handler() http.Handler { return s.handler }

// Reset begins again: as after New, with the faults of the options and no history.
// Tokens that were exchanged for a key are worth nothing any more.
func (s *Simulator) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world = &world{
		conferences: map[string]*conference{},
		accounts:    map[string]*account{},
		tokens:      map[string]issued{},
		chance:      newFate(s.options.Seed, 1, "chance").Rand,
	}
	for _, id := range s.options.Conferences {
		s.world.create(id)
	}
	if s.options.Demo {
		s.world.create(DemoConference).seats = takeSeats(time.Now(), &s.options)
	}
	for _, f := range s.options.Faults {
		s.world.arm(f)
	}
}

func (w *world) create(id string) *conference {
	c := &conference{id: id}
	w.conferences[id] = c
	return c
}

// conference is the one with that id as it stands now; nil where the vendor knows
// none. A first touch creates it, unless only known ones exist; see addTo for the demo.
func (s *Simulator) conference(id string, now time.Time) *conference {
	c := s.world.conferences[id]
	if c == nil && !s.options.KnownOnly && !s.options.Demo {
		c = s.world.create(id)
	}
	if c == nil || c.gone {
		return nil
	}
	c.advance(now, &s.options)
	return c
}

// opened is the conference with that id, brought into being where it is not.
func (s *Simulator) opened(id string, now time.Time) *conference {
	c := s.world.conferences[id]
	if c == nil || c.gone {
		c = s.world.create(id)
	}
	c.advance(now, &s.options)
	return c
}

// standing is the conference with that id where there is one, without creating it.
func (s *Simulator) standing(id string, now time.Time) *conference {
	c := s.world.conferences[id]
	if c == nil || c.gone {
		return nil
	}
	c.advance(now, &s.options)
	return c
}

// conferenceIDs are those that exist, sorted.
func (w *world) conferenceIDs() []string {
	var ids []string
	for id, c := range w.conferences {
		if !c.gone {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
