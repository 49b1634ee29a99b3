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

// Lists show each control after the lag, in order; its response shows it at once.
func TestListLag_Controls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{ListLag: 2 * time.Second, LingerDisconnected: time.Hour})
		id := s.AddParticipant(conferenceID, simulator.Participant{Status: "connected"}).ID
		controls := []struct {
			word, status string
			muted        bool
		}{
			{"mute", "connected", true},
			{"hold", "held", true},
			{"unmute", "held", false},
			{"resume", "connected", false},
			{"disconnect", "disconnected", false},
		}
		expect := func(listed int, since time.Duration) {
			t.Helper()
			want := participant{Status: "connected"}
			if listed >= 0 {
				want.Status, want.Muted = controls[listed].status, controls[listed].muted
			}
			if got := c.list().Participants[0]; got.Status != want.Status || got.Muted != want.Muted {
				t.Errorf("%v after the first control: listed %+v, want %+v", since, got, want)
			}
		}
		// One control each 500 ms: each is listed when the fourth after it is sent.
		for n := range len(controls) + 4 {
			if n < len(controls) {
				got := decode[participant](t, c.control(200, id, controls[n].word).body)
				if got.Status != controls[n].status || got.Muted != controls[n].muted {
					t.Errorf("%s: got %+v", controls[n].word, got)
				}
			}
			expect(n-4, time.Duration(n)*500*time.Millisecond)
			time.Sleep(500 * time.Millisecond)
		}
	})
}

func TestListLag_MuteAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{ListLag: 2 * time.Second})
		s.AddParticipant(conferenceID, simulator.Participant{Status: "connected"})
		c.want(200, "POST", "/v2/conferences/"+conferenceID+"/mute-all", "{}")
		if c.list().Participants[0].Muted {
			t.Error("listed as muted at once")
		}
		time.Sleep(2 * time.Second)
		if !c.list().Participants[0].Muted {
			t.Error("not listed as muted after the lag")
		}
	})
}

// A participant who hangs up during the lag of a control is listed until its end.
func TestListLag_HangUpWithinTheLagOfAControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{ListLag: 2 * time.Second})
		id := s.AddParticipant(conferenceID, simulator.Participant{Status: "connected"}).ID
		c.control(200, id, "hold")
		time.Sleep(time.Second)
		if !s.SetStatus(conferenceID, id, "disconnected") {
			t.Fatal("no such participant")
		}
		c.control(404, id, "resume")
		c.want(404, "DELETE", participantsPath(conferenceID)+"/"+id, "")
		if got := statuses(c.list().Participants); !slices.Equal(got, []string{"connected"}) {
			t.Errorf("during the lag: listed %v", got)
		}
		time.Sleep(time.Second)
		if got := c.list(); got.Total != 0 {
			t.Errorf("after the lag: listed %+v", got)
		}
	})
}
