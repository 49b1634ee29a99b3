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

func TestListsContainTheActualParticipants(t *testing.T) {
	s, c := start(t, simulator.Options{Behaviour: simulator.Still, AddsPerSecond: -1, PageSize: 4, MaxParticipants: 1000})
	c = c.overSocket(s)
	rapid.Check(t, func(rt *rapid.T) {
		s.Reset()
		var added []string
		add := func(rt *rapid.T) {
			number := fmt.Sprintf("+120255501%02d", rapid.IntRange(0, 99).Draw(rt, "number"))
			added = append(added, c.add(number).ID)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"add": add,
			"remove": func(rt *rapid.T) {
				if len(added) == 0 {
					add(rt)
				}
				at := rapid.IntRange(0, len(added)-1).Draw(rt, "index")
				c.remove(added[at])
				added = slices.Delete(added, at, at+1)
			},
			"": func(rt *rapid.T) {
				pages, _ := c.pages(func() {})
				actual := mapped(s.Participants(conferenceID), participantID)
				if listed := slices.Concat(pages...); !slices.Equal(listed, actual) || !slices.Equal(listed, added) {
					rt.Fatalf("listed %v, actual %v, added %v", listed, actual, added)
				}
			},
		})
	})
}

// Every concurrent add dials once and gets a unique id.
func TestConcurrentUse(t *testing.T) {
	s, c := start(t, simulator.Options{Demo: true, Behaviour: simulator.Still, AddsPerSecond: -1, MaxParticipants: 1000})
	c = c.overSocket(s)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 25 {
				id := c.add(phoneNumber).ID
				c.list()
				c.control(200, id, "mute")
				s.Participants(simulator.DemoConference)
				s.Inject(simulator.Fault{Kind: simulator.FaultPartial, Times: 1})
				s.History()
			}
		})
	}
	clients.Wait()
	dialled := map[string]bool{}
	for _, d := range s.Dials() {
		dialled[d.Participant] = true
	}
	if len(dialled) != 200 || len(s.Dials()) != 200 || len(s.Participants(conferenceID)) != 200 {
		t.Errorf("dialled %d for %d, participants %d", len(s.Dials()), len(dialled), len(s.Participants(conferenceID)))
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
