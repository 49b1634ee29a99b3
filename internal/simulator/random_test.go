package simulator_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/audian/participant-gateway/internal/simulator"
)

// Whatever is added and removed, a list over a socket tells the truth.
func TestListsTellTheTruth(t *testing.T) {
	s, c := start(t, simulator.Options{Behaviour: simulator.Still, AddsPerSecond: -1, PageSize: 4, MaxParticipants: 1000})
	c = c.overSocket(s)
	rapid.Check(t, func(rt *rapid.T) {
		s.Reset()
		var known []string
		add := func(rt *rapid.T) {
			number := fmt.Sprintf("+120255501%02d", rapid.IntRange(0, 99).Draw(rt, "number"))
			known = append(known, c.add(number).ID)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"add": add,
			"remove": func(rt *rapid.T) {
				if len(known) == 0 {
					add(rt)
				}
				at := rapid.IntRange(0, len(known)-1).Draw(rt, "who")
				c.remove(known[at])
				known = slices.Delete(known, at, at+1)
			},
			"": func(rt *rapid.T) {
				pages, _ := c.pages(func() {})
				truth := of(s.Truth(room), personID)
				if listed := slices.Concat(pages...); !slices.Equal(listed, truth) || !slices.Equal(listed, known) {
					rt.Fatalf("listed %v, truth %v, known %v", listed, truth, known)
				}
			},
		})
	})
}

// Many callers at once: every add dials once, every id is its own.
func TestConcurrentUse(t *testing.T) {
	s, c := start(t, simulator.Options{Demo: true, Behaviour: simulator.Still, AddsPerSecond: -1, MaxParticipants: 1000})
	c = c.overSocket(s)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 25 {
				id := c.add(oneNumber).ID
				c.list()
				c.control(200, id, "mute")
				s.Truth(simulator.DemoConference)
				s.Inject(simulator.Fault{Kind: simulator.FaultPartial, Times: 1})
				s.History()
			}
		})
	}
	callers.Wait()
	dialled := map[string]bool{}
	for _, d := range s.Dials() {
		dialled[d.Participant] = true
	}
	if len(dialled) != 200 || len(s.Dials()) != 200 || len(s.Truth(room)) != 200 {
		t.Errorf("dialled %d for %d, truth %d", len(s.Dials()), len(dialled), len(s.Truth(room)))
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
