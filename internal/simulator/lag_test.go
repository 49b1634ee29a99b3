package simulator_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// A list that lags goes on as if the write had not happened; the truth does not.
func TestListLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{ListLag: 2 * time.Second, LingerDisconnected: 5 * time.Second, Behaviour: simulator.Still})
		known := s.AddPerson(room, simulator.Person{Status: "connected"}).ID
		added := c.add(oneNumber).ID
		expect := func(when string, listed, truth []string) {
			t.Helper()
			if got := statuses(c.list().Participants); !slices.Equal(got, listed) {
				t.Errorf("%s: listed %v, want %v", when, got, listed)
			}
			if got := of(s.Truth(room), personStatus); !slices.Equal(got, truth) {
				t.Errorf("%s: truth %v, want %v", when, got, truth)
			}
		}
		expect("after the add", []string{"connected"}, []string{"connected", "pending"})
		time.Sleep(2 * time.Second)
		expect("after its lag", []string{"connected", "pending"}, []string{"connected", "pending"})
		c.remove(known)
		expect("after the remove", []string{"connected", "pending"}, []string{"disconnected", "pending"})
		time.Sleep(2 * time.Second)
		expect("after its lag", []string{"disconnected", "pending"}, []string{"disconnected", "pending"})
		time.Sleep(3 * time.Second)
		expect("after the linger", []string{"pending"}, []string{"pending"})
		c.remove(added)
		time.Sleep(5 * time.Second)
		expect("in the end", nil, nil)
	})
}

// One who is removed before any list has shown them is never shown connected.
func TestRemoveWithinTheLagOfTheAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := start(t, simulator.Options{ListLag: 2 * time.Second})
		c.remove(c.add(oneNumber).ID)
		for range 30 {
			if got := c.list(); got.Total != 0 {
				t.Fatalf("listed %+v", got)
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

func TestGhostsTickOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{ListLag: 10 * time.Second})
		id := s.AddPerson(room, simulator.Person{Status: "connected"}).ID
		time.Sleep(5 * time.Second)
		c.remove(id)
		time.Sleep(5 * time.Second)
		if got := c.list(); len(got.Participants) != 1 || got.Participants[0].Duration != 10 || got.Active != 1 {
			t.Errorf("listed %+v", got)
		}
	})
}

// One who has left already has nothing to linger for once removed; lists that lag
// show them for as long as they would have shown them anyway.
func TestRemoveOfOneWhoLeft(t *testing.T) {
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
				id := s.AddPerson(room, simulator.Person{Status: "disconnected"}).ID
				time.Sleep(time.Second)
				c.remove(id)
				for i, want := range test.listed {
					if got := c.list(); got.Total != want || len(s.Truth(room)) != 0 {
						t.Errorf("at %d s: listed %+v", i+1, got)
					}
					time.Sleep(time.Second)
				}
			})
		})
	}
}
