package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// observations are all that anybody was told of anybody: each must have been so once.
type observations struct {
	mu   sync.Mutex
	seen map[identity]bool // guarded by mu
	// left are the ids of those whom somebody had leave.
	left map[string]bool // guarded by mu
}

func newObservations() *observations {
	return &observations{seen: map[identity]bool{}, left: map[string]bool{}}
}

// identity is who somebody is, in one status.
type identity struct{ id, phone, name, status string }

func (s *observations) add(people ...member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range people {
		s.seen[identity{p.ID, p.Phone, p.Name, p.Status}] = true
	}
}

// leave notes who is about to leave.
func (s *observations) leave(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left[id] = true
}

// mayHaveLeft says whether anybody had them leave: nobody leaves by themselves.
func (s *observations) mayHaveLeft(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left[id]
}

// visitors are people who did not come through the gateway: they come, are held, and
// vanish. What each of them ever was is kept.
type visitors struct {
	harness *harness
	rng     *rand.Rand

	mu          sync.Mutex
	resumeToken int
	present     map[string][]string // guarded by mu; ids by conference
	truth       map[identity]bool   // guarded by mu
}

func newVisitors(w *harness, rng *rand.Rand) *visitors {
	return &visitors{harness: w, rng: rng, present: map[string][]string{}, truth: map[identity]bool{}}
}

// fewest and most bound how many visitors a conference has.
const fewest, most = 14, 22

// run has visitors come, change and go until ctx ends.
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
		v.harness.upstream.RemovePerson(conference, present[gone])
		v.present[conference] = append(present[:gone:gone], present[gone+1:]...)
	default:
		v.set(conference, present[v.rng.IntN(len(present))])
	}
}

func (v *visitors) join(conference string) {
	v.resumeToken++
	who := visitor(v.resumeToken)
	v.record(who)
	v.present[conference] = append(v.present[conference], who.ID)
	v.harness.upstream.AddPerson(conference, who)
}

func visitor(n int) simulator.Person {
	return simulator.Person{
		ID: fmt.Sprintf("visitor_%d", n), PhoneNumber: fmt.Sprintf("+1202556%04d", n),
		Name: fmt.Sprintf("Visitor %d", n), Status: "connected",
	}
}

// enter lets in somebody who stays as they are.
func (v *visitors) enter(conference string, who simulator.Person) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.record(who)
	v.harness.upstream.AddPerson(conference, who)
}

// record notes what is about to be so.
func (v *visitors) record(p simulator.Person) {
	v.truth[identity{p.ID, p.PhoneNumber, p.Name, p.Status}] = true
}

// visitorStatuses are the statuses that visitors take; the last is none that the upstream documents.
var visitorStatuses = []string{"connected", "held", "connected", "held", "whispering"}

func (v *visitors) set(conference, id string) {
	for _, p := range v.harness.upstream.Truth(conference) {
		if p.ID == id {
			p.Status = visitorStatuses[v.rng.IntN(len(visitorStatuses))]
			v.record(p)
			v.harness.upstream.SetStatus(conference, id, p.Status)
		}
	}
}

// shiftTimes has some visitors come again with times that no clock has shown yet, or for
// long: what the upstream's clock does when it is set. They change their place in the
// list too, so that one list may lack them; a second in a row would be proof (W7).
func (v *visitors) shiftTimes(conference string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range v.harness.upstream.Truth(conference) {
		if v.truth[identity{p.ID, p.PhoneNumber, p.Name, p.Status}] && v.rng.IntN(3) == 0 {
			years := v.rng.IntN(120) - 50
			p.JoinedAt, p.CreatedAt = time.Now().AddDate(years, 0, 0), time.Now().AddDate(-years, 0, 0)
			v.harness.upstream.AddPerson(conference, p)
			v.harness.results.fault("upstream clock jumped")
		}
	}
}

// existed says whether somebody was ever so: a visitor who was, or somebody dialled,
// who rings, answers, and in the end is hung up on.
func (v *visitors) existed(dialled map[string]simulator.Dial, who identity) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	dial, was := dialled[who.id]
	if !was {
		return v.truth[who]
	}
	switch who.status {
	case "pending", "dialing", "connected", "disconnected":
		return who.phone == dial.PhoneNumber && who.name == callerName(dial.PhoneNumber)
	default:
		return false
	}
}
