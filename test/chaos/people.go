package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// sightings are all that anybody was told of anybody: each must have been so once.
type sightings struct {
	mu   sync.Mutex
	seen map[identity]bool // guarded by mu
	// left are the ids of those whom somebody had leave.
	left map[string]bool // guarded by mu
}

func newSightings() *sightings {
	return &sightings{seen: map[identity]bool{}, left: map[string]bool{}}
}

// identity is who somebody is, in one status.
type identity struct{ id, phone, name, status string }

func (s *sightings) add(people ...human) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range people {
		s.seen[identity{p.ID, p.Phone, p.Name, p.Status}] = true
	}
}

// leave notes who is about to leave.
func (s *sightings) leave(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left[id] = true
}

// mayHaveLeft says whether anybody had them leave: nobody leaves by themselves.
func (s *sightings) mayHaveLeft(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left[id]
}

// visitors are people who did not come through the gateway: they come, are held, and
// vanish. What each of them ever was is kept.
type visitors struct {
	world  *world
	chance *rand.Rand

	mu    sync.Mutex
	came  int
	here  map[string][]string // guarded by mu; ids by conference
	truth map[identity]bool   // guarded by mu
}

func newVisitors(w *world, chance *rand.Rand) *visitors {
	return &visitors{world: w, chance: chance, here: map[string][]string{}, truth: map[identity]bool{}}
}

// fewest and most bound how many visitors a conference has.
const fewest, most = 14, 22

// roam has visitors come, change and go until ctx ends.
func (v *visitors) roam(ctx context.Context) {
	for ctx.Err() == nil {
		v.world.quiet.RLock()
		v.act(rooms[v.chance.IntN(len(rooms))])
		v.world.quiet.RUnlock()
		pause(ctx, time.Duration(20+v.chance.IntN(180))*time.Millisecond)
	}
}

func (v *visitors) act(conference string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	here := v.here[conference]
	switch chosen := v.chance.IntN(10); {
	case len(here) < fewest || chosen == 0 && len(here) < most:
		v.come(conference)
	case chosen == 1 && len(here) > fewest:
		gone := v.chance.IntN(len(here))
		v.world.sightings.leave(here[gone])
		v.world.vendor.RemovePerson(conference, here[gone])
		v.here[conference] = append(here[:gone:gone], here[gone+1:]...)
	default:
		v.turn(conference, here[v.chance.IntN(len(here))])
	}
}

func (v *visitors) come(conference string) {
	v.came++
	who := visitor(v.came)
	v.is(who)
	v.here[conference] = append(v.here[conference], who.ID)
	v.world.vendor.AddPerson(conference, who)
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
	v.is(who)
	v.world.vendor.AddPerson(conference, who)
}

// is notes what is about to be so.
func (v *visitors) is(p simulator.Person) {
	v.truth[identity{p.ID, p.PhoneNumber, p.Name, p.Status}] = true
}

// stays are the statuses that visitors take; the last is none that the vendor documents.
var stays = []string{"connected", "held", "connected", "held", "whispering"}

func (v *visitors) turn(conference, id string) {
	for _, p := range v.world.vendor.Truth(conference) {
		if p.ID == id {
			p.Status = stays[v.chance.IntN(len(stays))]
			v.is(p)
			v.world.vendor.SetStatus(conference, id, p.Status)
		}
	}
}

// jump has some visitors come again with times that no clock has shown yet, or for
// long: what the vendor's clock does when it is set. They change their place in the
// list too, so that one list may lack them; a second in a row would be proof (W7).
func (v *visitors) jump(conference string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range v.world.vendor.Truth(conference) {
		if v.truth[identity{p.ID, p.PhoneNumber, p.Name, p.Status}] && v.chance.IntN(3) == 0 {
			years := v.chance.IntN(120) - 50
			p.JoinedAt, p.CreatedAt = time.Now().AddDate(years, 0, 0), time.Now().AddDate(-years, 0, 0)
			v.world.vendor.AddPerson(conference, p)
			v.world.tally.fault("vendor clock jumped")
		}
	}
}

// everReal says whether somebody was ever so: a visitor who was, or somebody dialled,
// who rings, answers, and in the end is hung up on.
func (v *visitors) everReal(dialled map[string]simulator.Dial, who identity) bool {
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
