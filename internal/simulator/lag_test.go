package simulator_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// Lists show a write after the lag; Participants shows it at once.
func TestListLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{ListLag: 2 * time.Second, LingerDisconnected: 5 * time.Second, Behaviour: simulator.Still})
		first := s.AddParticipant(conferenceID, simulator.Participant{Status: "connected"}).ID
		added := c.add(phoneNumber).ID
		expect := func(when string, listed, actual []string) {
			t.Helper()
			if got := statuses(c.list().Participants); !slices.Equal(got, listed) {
				t.Errorf("%s: listed %v, want %v", when, got, listed)
			}
			if got := mapped(s.Participants(conferenceID), participantStatus); !slices.Equal(got, actual) {
				t.Errorf("%s: participants %v, want %v", when, got, actual)
			}
		}
		expect("after the add", []string{"connected"}, []string{"connected", "pending"})
		time.Sleep(2 * time.Second)
		expect("after its lag", []string{"connected", "pending"}, []string{"connected", "pending"})
		c.remove(first)
		expect("after the remove", []string{"connected", "pending"}, []string{"disconnected", "pending"})
		time.Sleep(2 * time.Second)
		expect("after its lag", []string{"disconnected", "pending"}, []string{"disconnected", "pending"})
		time.Sleep(3 * time.Second)
		expect("after the linger", []string{"pending"}, []string{"pending"})
		c.remove(added)
		time.Sleep(5 * time.Second)
		expect("after removing all", nil, nil)
	})
}

// A participant who is removed before a list has shown them is never listed.
func TestListLag_RemoveWithinTheLagOfTheAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := start(t, simulator.Options{ListLag: 2 * time.Second})
		c.remove(c.add(phoneNumber).ID)
		for range 30 {
			if got := c.list(); got.Total != 0 {
				t.Fatalf("listed %+v", got)
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

func TestListLag_DurationOfARemovedParticipantGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{ListLag: 10 * time.Second})
		id := s.AddParticipant(conferenceID, simulator.Participant{Status: "connected"}).ID
		time.Sleep(5 * time.Second)
		c.remove(id)
		time.Sleep(5 * time.Second)
		if got := c.list(); len(got.Participants) != 1 || got.Participants[0].Duration != 10 || got.Active != 1 {
			t.Errorf("listed %+v", got)
		}
	})
}

// A disconnected participant does not linger again when removed; lists that lag show them
// as long as they would have without the removal.
func TestListLag_RemoveOfADisconnectedParticipant(t *testing.T) {
	tests := map[string]struct {
		lag    time.Duration
		listed []int // at 1 s, 2 s and 3 s
	}{
		"no lag":    {0, []int{0, 0, 0}},
		"short lag": {time.Second, []int{1, 0, 0}},
		"long lag":  {time.Minute, []int{1, 1, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := start(t, simulator.Options{ListLag: test.lag, LingerDisconnected: 2500 * time.Millisecond})
				id := s.AddParticipant(conferenceID, simulator.Participant{Status: "disconnected"}).ID
				time.Sleep(time.Second)
				c.remove(id)
				for i, want := range test.listed {
					if got := c.list(); got.Total != want || len(s.Participants(conferenceID)) != 0 {
						t.Errorf("at %d s: listed %+v", i+1, got)
					}
					time.Sleep(time.Second)
				}
			})
		})
	}
}
