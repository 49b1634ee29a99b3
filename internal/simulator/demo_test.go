package simulator_test

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// changes is how many people are new, gone or different in what a watcher would see.
func changes(before, after map[string]string) (n int) {
	for id, was := range before {
		if is, stays := after[id]; !stays || is != was {
			n++
		}
	}
	for id := range after {
		if _, known := before[id]; !known {
			n++
		}
	}
	return n
}

func seen(people []simulator.Person) map[string]string {
	all := map[string]string{}
	for _, p := range people {
		all[p.ID] = fmt.Sprint(p.Status, p.Muted)
	}
	return all
}

func TestDemoIsLively(t *testing.T) {
	for _, linger := range []time.Duration{0, 5 * time.Second} {
		t.Run(linger.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := simulator.New(simulator.Options{Demo: true, Seed: 1, LingerDisconnected: linger})
				met, before := map[string]int{}, seen(s.Truth(simulator.DemoConference))
				var changed int
				var quiet, longest time.Duration
				for range 1800 {
					people := s.Truth(simulator.DemoConference)
					if n := len(people); n < 6 || n > 14 {
						t.Fatalf("%d people", n)
					}
					checkDistinct(t, people)
					for _, p := range people {
						met[p.Status]++
					}
					after := seen(people)
					n := changes(before, after)
					changed, before, quiet = changed+n, after, quiet+time.Second
					if n > 0 {
						quiet = 0
					}
					longest = max(longest, quiet)
					time.Sleep(time.Second)
				}
				if longest > 12*time.Second || changed < 900 {
					t.Errorf("%d changes in 30 minutes, %v without any", changed, longest)
				}
				for _, status := range []string{"pending", "dialing", "connected", "held"} {
					if met[status] == 0 {
						t.Errorf("nobody was %s: %v", status, met)
					}
				}
			})
		})
	}
}

var fictional = regexp.MustCompile(`^\+120255501\d\d$`)

func checkDistinct(t *testing.T, people []simulator.Person) {
	t.Helper()
	names, numbers := map[string]bool{}, map[string]bool{}
	for _, p := range people {
		names[p.Name], numbers[p.PhoneNumber] = true, true
		if !fictional.MatchString(p.PhoneNumber) {
			t.Errorf("%s is called on %s", p.Name, p.PhoneNumber)
		}
	}
	if len(names) != len(people) || len(numbers) != len(people) {
		t.Errorf("not all distinct: %v", people)
	}
}

// Nobody looked for a year: the demo is as lively as ever, at once.
func TestDemoNeedsNoCatchingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Demo: true})
		before := s.Truth(simulator.DemoConference)
		time.Sleep(365 * 24 * time.Hour)
		after := s.Truth(simulator.DemoConference)
		if len(after) < 6 || changes(seen(before), seen(after)) < 12 {
			t.Errorf("after a year: %v", after)
		}
	})
}

// The demo's conference is one like any other: a caller's own people stay, and one who is
// removed is replaced in time.
func TestDemoTakesPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{Demo: true, Behaviour: simulator.Still})
		added := decode[participant](t, c.want(200, "POST", people(simulator.DemoConference), `{"phone_number":"+12025550199"}`).body)
		removed := s.Truth(simulator.DemoConference)[0].ID
		c.want(204, "DELETE", people(simulator.DemoConference)+"/"+removed, "")
		if _, there := seen(s.Truth(simulator.DemoConference))[removed]; there {
			t.Error("the removed is there")
		}
		time.Sleep(10 * time.Minute)
		all := seen(s.Truth(simulator.DemoConference))
		if all[added.ID] != "pendingfalse" || len(all) < 7 {
			t.Errorf("then %v", all)
		}
	})
}

// A demo in which every conference exists would never show what NOT_FOUND looks like.
func TestInTheDemoAnAddAloneCreatesAConference(t *testing.T) {
	_, c := start(t, simulator.Options{Demo: true, Conferences: []string{"conf_known"}})
	for _, exists := range []string{simulator.DemoConference, "conf_known"} {
		c.want(http.StatusOK, http.MethodGet, people(exists), "")
	}
	for _, request := range []struct{ method, path string }{
		{http.MethodGet, people(room)},
		{http.MethodDelete, people(room) + "/part_1"},
		{http.MethodPost, people(room) + "/part_1/mute"},
		{http.MethodPost, "/v2/conferences/" + room + "/mute-all"},
	} {
		c.want(http.StatusNotFound, request.method, request.path, "")
	}
	c.want(http.StatusBadRequest, http.MethodPost, people(room), `{}`)
	c.want(http.StatusNotFound, http.MethodGet, people(room), "")
	added := c.add(oneNumber)
	if listed := c.list().Participants; len(listed) != 1 || listed[0].ID != added.ID {
		t.Errorf("listed %v, want %s alone", listed, added.ID)
	}
}

func TestInADemoOfKnownConferencesAnAddCreatesNone(t *testing.T) {
	_, c := start(t, simulator.Options{Demo: true, KnownOnly: true})
	c.want(http.StatusNotFound, http.MethodPost, people(room), `{"phone_number":"+12025550123"}`)
}
