package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// observations are all participants that clients received, to check that each of them
// existed.
type observations struct {
	mu   sync.Mutex
	seen map[identity]bool // guarded by mu
	// left holds the ids of participants that were removed from the upstream.
	left map[string]bool // guarded by mu
	// held holds the ids of participants whom a call was about to hold.
	held map[string]bool // guarded by mu
}

func newObservations() *observations {
	return &observations{seen: map[identity]bool{}, left: map[string]bool{}, held: map[string]bool{}}
}

// identity is a participant in one status.
type identity struct{ id, phone, name, status string }

func (s *observations) add(participants ...member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range participants {
		s.seen[identity{p.ID, p.Phone, p.Name, p.Status}] = true
	}
}

// leave records that a participant is about to be removed.
func (s *observations) leave(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left[id] = true
}

// mayHaveLeft reports whether the participant was removed; none leaves in another way.
func (s *observations) mayHaveLeft(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left[id]
}

// hold records that a participant is about to be held by a call.
func (s *observations) hold(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[id] = true
}

func (s *observations) mayBeHeld(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[id]
}

// visitors are participants that were not added through the gateway. They join, change
// status and leave; each of their states is kept.
type visitors struct {
	harness *harness
	rng     *rand.Rand

	mu      sync.Mutex
	joined  int
	present map[string][]string // guarded by mu; ids by conference
	truth   map[identity]bool   // guarded by mu
}

func newVisitors(w *harness, rng *rand.Rand) *visitors {
	return &visitors{harness: w, rng: rng, present: map[string][]string{}, truth: map[identity]bool{}}
}

// fewest and most are the bounds of the number of visitors in a conference.
const fewest, most = 14, 22

// run makes visitors join, change and leave until ctx ends.
func (v *visitors) run(ctx context.Context) {
	for ctx.Err() == nil {
		v.harness.mutations.RLock()
		v.step(v.harness.conferences[v.rng.IntN(len(v.harness.conferences))])
		v.harness.mutations.RUnlock()
		pause(ctx, time.Duration(20+v.rng.IntN(180))*time.Millisecond)
	}
}

func (v *visitors) step(conference string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	present := v.present[conference]
	switch choice := v.rng.IntN(10); {
	case len(present) < fewest || choice == 0 && len(present) < most:
		v.join(conference)
	case choice == 1 && len(present) > fewest:
		gone := v.rng.IntN(len(present))
		v.harness.observations.leave(present[gone])
		v.harness.upstream.RemoveParticipant(conference, present[gone])
		v.present[conference] = append(present[:gone:gone], present[gone+1:]...)
	default:
		v.set(conference, present[v.rng.IntN(len(present))])
	}
}

func (v *visitors) join(conference string) {
	v.joined++
	person := visitor(v.joined)
	v.record(person)
	v.present[conference] = append(v.present[conference], person.ID)
	v.harness.upstream.AddParticipant(conference, person)
}

func visitor(n int) simulator.Participant {
	return simulator.Participant{
		ID: fmt.Sprintf("visitor_%d", n), PhoneNumber: fmt.Sprintf("+1202556%04d", n),
		Name: fmt.Sprintf("Visitor %d", n), Status: "connected",
	}
}

// enter adds a participant who keeps the same state.
func (v *visitors) enter(conference string, person simulator.Participant) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.record(person)
	v.harness.upstream.AddParticipant(conference, person)
}

// record keeps a state that is about to be true.
func (v *visitors) record(p simulator.Participant) {
	v.truth[identity{p.ID, p.PhoneNumber, p.Name, p.Status}] = true
}

// change changes a visitor's status.
func (v *visitors) change(conference, id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.set(conference, id)
}

// visitorStatuses are the statuses that visitors get; the upstream does not document the
// last one.
var visitorStatuses = []string{"connected", "held", "connected", "held", "whispering"}

func (v *visitors) set(conference, id string) {
	for _, p := range v.harness.upstream.Participants(conference) {
		if p.ID == id {
			p.Status = visitorStatuses[v.rng.IntN(len(visitorStatuses))]
			v.record(p)
			v.harness.upstream.SetStatus(conference, id, p.Status)
		}
	}
}

// shiftTimes adds some visitors again with other times, decades away: what a step of the
// upstream's clock causes. Their place in the list changes too, so that one list may lack
// them; a second list in a row would be proof (W7).
func (v *visitors) shiftTimes(conference string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range v.harness.upstream.Participants(conference) {
		if v.truth[identity{p.ID, p.PhoneNumber, p.Name, p.Status}] && v.rng.IntN(3) == 0 {
			years := v.rng.IntN(120) - 50
			p.JoinedAt, p.CreatedAt = time.Now().AddDate(years, 0, 0), time.Now().AddDate(-years, 0, 0)
			v.harness.upstream.AddParticipant(conference, p)
			v.harness.results.fault("upstream clock jumped")
		}
	}
}

// existed reports whether a participant was ever in that state: a visitor who was, or a
// dialled participant in a status that a call goes through.
func (v *visitors) existed(dialled map[string]simulator.Dial, state identity) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	dial, was := dialled[state.id]
	if !was {
		return v.truth[state]
	}
	switch state.status {
	case "held":
		if !v.harness.observations.mayBeHeld(state.id) {
			return false
		}
		fallthrough
	case "pending", "dialing", "connected", "disconnected":
		return state.phone == dial.PhoneNumber && state.name == callerName(dial.PhoneNumber)
	default:
		return false
	}
}
