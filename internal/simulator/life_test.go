package simulator_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// moment is a participant's status and when it was first seen.
type moment struct {
	status string
	muted  bool
	after  time.Duration
}

// follow looks at one participant every tenth of a second until no longer listed.
func follow(s *simulator.Simulator, id string, patience time.Duration) (seen []moment) {
	begun := time.Now()
	for time.Since(begun) < patience {
		people := s.Truth(room)
		at := slices.IndexFunc(people, func(p simulator.Person) bool { return p.ID == id })
		if at < 0 {
			return append(seen, moment{status: "gone", after: time.Since(begun)})
		}
		now := moment{people[at].Status, people[at].Muted, time.Since(begun)}
		if n := len(seen); n == 0 || seen[n-1].status != now.status || seen[n-1].muted != now.muted {
			seen = append(seen, now)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return seen
}

func first(seen []moment, status string) (after time.Duration, found bool) {
	at := slices.IndexFunc(seen, func(m moment) bool { return m.status == status })
	if at < 0 {
		return 0, false
	}
	return seen[at].after, true
}

func TestPeopleTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		met := map[string]int{}
		for seed := range uint64(60) {
			s, c := start(t, simulator.Options{Seed: seed, LingerDisconnected: 10 * time.Second})
			seen := follow(s, c.add(oneNumber).ID, time.Hour)
			for _, m := range seen {
				met[m.status]++
			}
			checkLife(t, seen)
		}
		if met["rejected"] == 0 || met["rejected"] > 20 || met["held"] < 20 || met["connected"] < 40 {
			t.Errorf("sixty people met %v", met)
		}
	})
}

func checkLife(t *testing.T, seen []moment) {
	t.Helper()
	dialing, _ := first(seen, "dialing")
	if seen[0].status != "pending" || dialing < 300*time.Millisecond || dialing > 800*time.Millisecond {
		t.Errorf("life began %v", seen)
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
		seen := follow(s, c.add(oneNumber).ID, time.Second)
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
				seen := follow(s, c.add(oneNumber).ID, time.Hour)
				if !slices.EqualFunc(seen, want, func(m moment, status string) bool { return m.status == status }) {
					t.Errorf("seen %v, want %v", seen, want)
				}
			})
		})
	}
}

func TestDurationTicksWhileConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{Behaviour: simulator.Still, LingerDisconnected: time.Hour})
		id := c.add(oneNumber).ID
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
			s.SetStatus(room, id, step.status)
			time.Sleep(10 * time.Second)
			got := c.list().Participants[0]
			if got.Status != step.status || got.Duration != step.duration || (got.JoinedAt != nil) != step.joined {
				t.Errorf("after %s: %+v", step.status, got)
			}
		}
	})
}

func TestSameSeedSameStory(t *testing.T) {
	story := func(seed uint64) (seen []simulator.Person) {
		synctest.Test(t, func(t *testing.T) {
			s, c := start(t, simulator.Options{Seed: seed, Demo: true})
			c.add(oneNumber)
			for range 100 {
				time.Sleep(3 * time.Second)
				seen = append(seen, s.Truth(room)...)
				seen = append(seen, s.Truth(simulator.DemoConference)...)
			}
		})
		return seen
	}
	if !slices.Equal(story(7), story(7)) {
		t.Error("one seed told two stories")
	}
	if slices.Equal(story(7), story(8)) {
		t.Error("two seeds told one story")
	}
}

// A life is the same whether somebody looks all the time or only at the end.
func TestLookingChangesNothing(t *testing.T) {
	look := func(every time.Duration) (last simulator.Person) {
		synctest.Test(t, func(t *testing.T) {
			s, c := start(t, simulator.Options{LingerDisconnected: time.Hour})
			c.add(oneNumber)
			for begun := time.Now(); time.Since(begun) < 10*time.Minute; time.Sleep(every) {
				s.Truth(room)
			}
			last = s.Truth(room)[0]
		})
		return last
	}
	if often, once := look(time.Second), look(10*time.Minute); often != once {
		t.Errorf("often: %+v, once: %+v", often, once)
	}
}
