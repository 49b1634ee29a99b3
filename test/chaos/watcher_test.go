package main

import (
	"errors"
	"testing"

	"github.com/audian/participant-gateway/test/watchclient"
)

func newTestHarness() *harness {
	w := &harness{results: newResults(1), orderCheck: watchclient.NewOrderCheck(), observations: newObservations()}
	w.visitors = newVisitors(w, w.rng(forVisitors))
	w.writers = &writers{harness: w, removed: map[string]string{}}
	return w
}

// brokenOf are the rules that were broken.
func brokenOf(t *results) (rules []string) {
	for rule, n := range t.report.Broken {
		if n > 0 {
			rules = append(rules, rule)
		}
	}
	return rules
}

func expect(t *testing.T, name string, got *results, rule string) {
	t.Helper()
	broken := brokenOf(got)
	if rule == "" && len(broken) > 0 || rule != "" && (len(broken) != 1 || broken[0] != rule) {
		t.Errorf("%s: broken are %q, want %q: %q", name, broken, rule, got.report.Findings)
	}
}

func because(reason string, m message) message {
	m.Snapshot.Reason = reason
	return m
}

func TestW04_StreamStartMatchesItsToken(t *testing.T) {
	beat := message{Token: "t", Checkpoint: &checkpoint{Total: new(1), Count: new(1)}}
	beforeBaseline := message{Token: "was", Checkpoint: &checkpoint{Freshness: "stale"}}
	changed := msg("updated", "held", ada("connected"))
	for name, test := range map[string]struct {
		resumeToken string
		from        int // The process that gave the token; the stream's is 2.
		first       []message
		rule        string
	}{
		"new":                      {"", 0, []message{snap(ada("held"))}, ""},
		"new, without a snapshot":  {"", 0, []message{beat}, inconsistentMessages},
		"resumed":                  {"was", 2, []message{changed}, ""},
		"nothing was missed":       {"was", 2, []message{beat}, ""},
		"a snapshot all the same":  {"was", 2, []message{because("resume_expired", snap(ada("held")))}, changesLost},
		"another process":          {"was", 1, []message{because("resume_expired", snap(ada("held")))}, ""},
		"another process, resumed": {"was", 1, []message{changed}, inconsistentMessages},
		"a wrong reason":           {"was", 1, []message{because("initial", snap(ada("held")))}, changesLost},
		"stale before":             {"was", 2, []message{beforeBaseline, changed}, ""},
		"stale, with a new token":  {"old", 2, []message{beforeBaseline}, inconsistentMessages},
		"fallen behind":            {"was", 2, []message{beat, because("lagged", snap(ada("held")))}, changesLost},
	} {
		w := newTestHarness()
		client := &watcher{harness: w, held: roster{"ada": ada("held")}, token: test.resumeToken, generation: test.from}
		s := &stream{gateway: &gateway{generation: 2}, resumeToken: test.resumeToken}
		for _, m := range test.first {
			client.handle(s, m)
		}
		expect(t, name, w.results, test.rule)
	}
}

func TestW08_RemovalOfPresentParticipantIsFound(t *testing.T) {
	for name, rule := range map[string]string{"left": "", "never left": wrongRemovals} {
		w := newTestHarness()
		if name == "left" {
			w.observations.leave("ada")
		}
		client := &watcher{harness: w, held: roster{}}
		s := &stream{gateway: &gateway{}}
		client.handle(s, snap(ada("held")))
		gone := msg("removed", "held", ada("held"))
		gone.Token = "next"
		client.handle(s, gone)
		expect(t, name, w.results, rule)
	}
}

func TestW10_UnexpectedEndsAreFound(t *testing.T) {
	checkDrain := watchclient.FailureOf(`{"error":{"status":"UNAVAILABLE","details":[{"reason":"DRAINING"}]}}`)
	for name, test := range map[string]struct {
		killed, ending bool
		messages       int
		err            error
		rule           string
	}{
		"killed":                   {true, true, 3, watchclient.ErrBare, ""},
		"drained":                  {false, true, 3, checkDrain, ""},
		"drained without DRAINING": {false, true, 3, watchclient.ErrBare, unexpectedEnds},
		"refused by one that ends": {false, true, 0, errors.New("connection refused"), ""},
		"without a reason":         {false, false, 3, watchclient.ErrBare, unexpectedEnds},
		"before the first message": {false, false, 0, watchclient.ErrBare, unexpectedEnds},
	} {
		w := newTestHarness()
		s := &stream{gateway: &gateway{}, messages: test.messages}
		s.gateway.killed.Store(test.killed)
		s.gateway.ending.Store(test.ending)
		(&watcher{harness: w}).classifyEnd(s, test.err)
		expect(t, name, w.results, test.rule)
	}
}
