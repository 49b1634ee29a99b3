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

// changes counts the participants that joined, left or changed.
func changes(before, after map[string]string) (n int) {
	for id, was := range before {
		if is, listed := after[id]; !listed || is != was {
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

func states(participants []simulator.Participant) map[string]string {
	all := map[string]string{}
	for _, p := range participants {
		all[p.ID] = fmt.Sprint(p.Status, p.Muted)
	}
	return all
}

func TestDemo_ChangesAllTheTime(t *testing.T) {
	for _, linger := range []time.Duration{0, 5 * time.Second} {
		t.Run(linger.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := simulator.New(simulator.Options{Demo: true, Seed: 1, LingerDisconnected: linger})
				met, before := map[string]int{}, states(s.Participants(simulator.DemoConference))
				var changed int
				var quiet, longest time.Duration
				for range 1800 {
					participants := s.Participants(simulator.DemoConference)
					if n := len(participants); n < 6 || n > 14 {
						t.Fatalf("%d participants", n)
					}
					checkDistinct(t, participants)
					for _, p := range participants {
						met[p.Status]++
					}
					after := states(participants)
					n := changes(before, after)
					changed, before, quiet = changed+n, after, quiet+time.Second
					if n > 0 {
						quiet = 0
					}
					longest = max(longest, quiet)
					time.Sleep(time.Second)
				}
				if longest > 12*time.Second || changed < 900 {
					t.Errorf("%d changes in 30 minutes, longest pause %v", changed, longest)
				}
				for _, status := range []string{"pending", "dialing", "connected", "held"} {
					if met[status] == 0 {
						t.Errorf("no participant was %s: %v", status, met)
					}
				}
			})
		})
	}
}

var fictional = regexp.MustCompile(`^\+120255501\d\d$`)

func checkDistinct(t *testing.T, participants []simulator.Participant) {
	t.Helper()
	names, numbers := map[string]bool{}, map[string]bool{}
	for _, p := range participants {
		names[p.Name], numbers[p.PhoneNumber] = true, true
		if !fictional.MatchString(p.PhoneNumber) {
			t.Errorf("%s has number %s", p.Name, p.PhoneNumber)
		}
	}
	if len(names) != len(participants) || len(numbers) != len(participants) {
		t.Errorf("not all distinct: %v", participants)
	}
}

func TestDemo_AfterAYearWithoutRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Demo: true})
		before := s.Participants(simulator.DemoConference)
		time.Sleep(365 * 24 * time.Hour)
		after := s.Participants(simulator.DemoConference)
		if len(after) < 6 || changes(states(before), states(after)) < 12 {
			t.Errorf("after a year: %v", after)
		}
	})
}

// Added participants stay in the demo conference, and a removed one is replaced by the next
// round.
func TestDemo_AddAndRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{Demo: true, Behaviour: simulator.Still})
		added := decode[participant](t, c.want(200, "POST", participantsPath(simulator.DemoConference), `{"phone_number":"+12025550199"}`).body)
		removed := s.Participants(simulator.DemoConference)[0].ID
		c.want(204, "DELETE", participantsPath(simulator.DemoConference)+"/"+removed, "")
		if _, there := states(s.Participants(simulator.DemoConference))[removed]; there {
			t.Error("the removed participant is still there")
		}
		time.Sleep(10 * time.Minute)
		all := states(s.Participants(simulator.DemoConference))
		if all[added.ID] != "pendingfalse" || len(all) < 7 {
			t.Errorf("then %v", all)
		}
	})
}

// A demo in which every conference exists could not show a 404.
func TestDemo_OnlyAnAddCreatesAConference(t *testing.T) {
	_, c := start(t, simulator.Options{Demo: true, Conferences: []string{"conf_known"}})
	for _, exists := range []string{simulator.DemoConference, "conf_known"} {
		c.want(http.StatusOK, http.MethodGet, participantsPath(exists), "")
	}
	for _, request := range []struct{ method, path string }{
		{http.MethodGet, participantsPath(conferenceID)},
		{http.MethodDelete, participantsPath(conferenceID) + "/part_1"},
		{http.MethodPost, participantsPath(conferenceID) + "/part_1/mute"},
		{http.MethodPost, "/v2/conferences/" + conferenceID + "/mute-all"},
	} {
		c.want(http.StatusNotFound, request.method, request.path, "")
	}
	c.want(http.StatusBadRequest, http.MethodPost, participantsPath(conferenceID), `{}`)
	c.want(http.StatusNotFound, http.MethodGet, participantsPath(conferenceID), "")
	added := c.add(phoneNumber)
	if listed := c.list().Participants; len(listed) != 1 || listed[0].ID != added.ID {
		t.Errorf("listed %v, want only %s", listed, added.ID)
	}
}

func TestDemo_KnownOnlyAddCreatesNone(t *testing.T) {
	_, c := start(t, simulator.Options{Demo: true, KnownOnly: true})
	c.want(http.StatusNotFound, http.MethodPost, participantsPath(conferenceID), `{"phone_number":"+12025550123"}`)
}
