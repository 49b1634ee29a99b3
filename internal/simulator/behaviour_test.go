package simulator_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// observation is the state of a participant and when it was first seen.
type observation struct {
	status string
	muted  bool
	after  time.Duration
}

// follow observes one participant every 100 ms until it is no longer listed.
func follow(s *simulator.Simulator, id string, limit time.Duration) (seen []observation) {
	began := time.Now()
	for time.Since(began) < limit {
		participants := s.Participants(conferenceID)
		at := slices.IndexFunc(participants, func(p simulator.Participant) bool { return p.ID == id })
		if at < 0 {
			return append(seen, observation{status: "gone", after: time.Since(began)})
		}
		now := observation{participants[at].Status, participants[at].Muted, time.Since(began)}
		if n := len(seen); n == 0 || seen[n-1].status != now.status || seen[n-1].muted != now.muted {
			seen = append(seen, now)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return seen
}

func first(seen []observation, status string) (after time.Duration, found bool) {
	at := slices.IndexFunc(seen, func(o observation) bool { return o.status == status })
	if at < 0 {
		return 0, false
	}
	return seen[at].after, true
}

func TestHuman_Timeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counts := map[string]int{}
		for seed := range uint64(60) {
			s, c := start(t, simulator.Options{Seed: seed, LingerDisconnected: 10 * time.Second})
			seen := follow(s, c.add(phoneNumber).ID, time.Hour)
			for _, m := range seen {
				counts[m.status]++
			}
			checkTimeline(t, seen)
		}
		if counts["rejected"] == 0 || counts["rejected"] > 20 || counts["held"] < 20 || counts["connected"] < 40 {
			t.Errorf("statuses of sixty participants: %v", counts)
		}
	})
}

func checkTimeline(t *testing.T, seen []observation) {
	t.Helper()
	dialing, _ := first(seen, "dialing")
	if seen[0].status != "pending" || dialing < 300*time.Millisecond || dialing > 800*time.Millisecond {
		t.Errorf("began with %v", seen)
	}
	answered, isAnswered := first(seen, "connected")
	ended, isEnded := first(seen, "disconnected")
	if !isAnswered {
		answered, _ = first(seen, "rejected")
		ended, isEnded = answered, true
	}
	if rang := answered - dialing; rang < 2900*time.Millisecond || rang > 12100*time.Millisecond {
		t.Errorf("rang for %v: %v", rang, seen)
	}
	gone, _ := first(seen, "gone")
	if lingered := gone - ended; !isEnded || lingered < 9900*time.Millisecond || lingered > 10100*time.Millisecond {
		t.Errorf("lingered for %v: %v", lingered, seen)
	}
}

func TestTimeScale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{TimeScale: 100, Behaviour: simulator.Steady})
		seen := follow(s, c.add(phoneNumber).ID, time.Second)
		if last := seen[len(seen)-1]; last.status != "connected" || last.after > 200*time.Millisecond {
			t.Errorf("seen %v", seen)
		}
	})
}

func TestBehaviours(t *testing.T) {
	tests := map[simulator.Behaviour][]string{
		simulator.Steady: {"pending", "dialing", "connected"},
		simulator.Still:  {"pending"},
	}
	for behaviour, want := range tests {
		t.Run(string(behaviour), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := start(t, simulator.Options{Behaviour: behaviour})
				seen := follow(s, c.add(phoneNumber).ID, time.Hour)
				if !slices.EqualFunc(seen, want, func(o observation, status string) bool { return o.status == status }) {
					t.Errorf("seen %v, want %v", seen, want)
				}
			})
		})
	}
}

func TestDurationGrowsWhileConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{Behaviour: simulator.Still, LingerDisconnected: time.Hour})
		id := c.add(phoneNumber).ID
		steps := []struct {
			status   string
			duration int
			joined   bool
		}{
			{"dialing", 0, false},
			{"connected", 10, true},
			{"held", 20, true},
			{"disconnected", 20, true},
			{"transferring", 40, true},
			{"pending", 0, false},
		}
		for _, step := range steps {
			s.SetStatus(conferenceID, id, step.status)
			time.Sleep(10 * time.Second)
			got := c.list().Participants[0]
			if got.Status != step.status || got.Duration != step.duration || (got.JoinedAt != nil) != step.joined {
				t.Errorf("after %s: %+v", step.status, got)
			}
		}
	})
}

func TestSeedDeterminesBehaviour(t *testing.T) {
	run := func(seed uint64) (seen []simulator.Participant) {
		synctest.Test(t, func(t *testing.T) {
			s, c := start(t, simulator.Options{Seed: seed, Demo: true})
			c.add(phoneNumber)
			for range 100 {
				time.Sleep(3 * time.Second)
				seen = append(seen, s.Participants(conferenceID)...)
				seen = append(seen, s.Participants(simulator.DemoConference)...)
			}
		})
		return seen
	}
	if !slices.Equal(run(7), run(7)) {
		t.Error("two runs of one seed differ")
	}
	if slices.Equal(run(7), run(8)) {
		t.Error("runs of two seeds are equal")
	}
}

func TestReadingDoesNotChangeBehaviour(t *testing.T) {
	read := func(every time.Duration) (last simulator.Participant) {
		synctest.Test(t, func(t *testing.T) {
			s, c := start(t, simulator.Options{LingerDisconnected: time.Hour})
			c.add(phoneNumber)
			for began := time.Now(); time.Since(began) < 10*time.Minute; time.Sleep(every) {
				s.Participants(conferenceID)
			}
			last = s.Participants(conferenceID)[0]
		})
		return last
	}
	if often, once := read(time.Second), read(10*time.Minute); often != once {
		t.Errorf("often: %+v, once: %+v", often, once)
	}
}
