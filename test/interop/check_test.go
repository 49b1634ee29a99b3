package main

import (
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchclient"
)

// began is when the transcripts of these tests begin; a line comes each second.
var began = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }

func transcriptOf(t *testing.T, texts ...string) []line {
	t.Helper()
	var lines []line
	for i, text := range texts {
		l, err := parseLine(text, at(i))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		lines = append(lines, l)
	}
	return lines
}

func member(id, status string) watchclient.Member {
	return watchclient.Member{ID: id, Role: "listener", Status: status}
}

func rosterOf(members ...watchclient.Member) watchclient.Roster {
	r := watchclient.Roster{}
	for _, m := range members {
		r[m.ID] = m
	}
	return r
}

// rosters is a truth: Ada is connected; Bob joins, is connected, and leaves.
var rosters = truth{rosters: []watchclient.Roster{
	rosterOf(member("ada", "connected")),
	rosterOf(member("ada", "connected"), member("bob", "dialing")),
	rosterOf(member("ada", "connected"), member("bob", "connected")),
	rosterOf(member("ada", "connected")),
}}

// The lines of a client without a fault.
const (
	initial   = `{"id":"w","state":"snapshot","reason":"initial","roster":{"ada":"connected"},"fresh":true,"total":1,"active":1}`
	joined    = `{"id":"w","state":"changes","roster":{"ada":"connected","bob":"dialing"},"fresh":true,"changes":[{"kind":"added","participant":"bob","status":"dialing"}]}`
	answered  = `{"id":"w","state":"changes","roster":{"ada":"connected","bob":"connected"},"fresh":true,"changes":[{"kind":"updated","participant":"bob","status":"connected","previous_status":"dialing"}]}`
	left      = `{"id":"w","state":"changes","roster":{"ada":"connected"},"fresh":true,"changes":[{"kind":"removed","participant":"bob","status":"connected","previous_status":"connected"}]}`
	broke     = `{"id":"w","state":"disconnected","roster":{"ada":"connected"},"fresh":false,"stale_reason":"DISCONNECTED","error":{"code":"UNAVAILABLE"}}`
	refreshed = `{"id":"w","state":"freshness","roster":{"ada":"connected"},"fresh":true}`
	ended     = `{"id":"w","done":true}`
)

func TestWatchCheckFindsPlantedFaults(t *testing.T) {
	for name, test := range map[string]struct {
		lines []string
		wrong string
	}{
		"no fault":                 {[]string{initial, joined, answered, left, ended}, ""},
		"a break":                  {[]string{initial, broke, refreshed, joined, answered, left, ended}, ""},
		"a snapshot later":         {[]string{initial, broke, strings.ReplaceAll(initial, "initial", "resume_expired"), ended}, ""},
		"a lost change":            {[]string{initial, answered, left}, "updated of bob, who was in the roster: false"},
		"a change that is skipped": {[]string{initial, joined, left}, "previous_status of bob"},
		"a change applied twice":   {[]string{initial, joined, joined}, "added of bob, who was in the roster: true"},
		"a removal applied twice":  {[]string{initial, joined, answered, left, left}, "removed of bob, who was in the roster: false"},
		"a change not applied": {
			[]string{initial, strings.Replace(joined, `"bob":"dialing"`, `"eve":"dialing"`, 1)}, "the changes lead to",
		},
		"an invented status": {
			[]string{initial, strings.ReplaceAll(joined, "dialing", "connected")}, "is not the state that follows",
		},
		"a roster that a snapshot has not replaced": {
			[]string{initial, joined, strings.Replace(initial, `{"ada":"connected"}`, `{"ada":"connected","bob":"dialing","eve":"held"}`, 1)},
			"had no such roster",
		},
		"a snapshot of the past":   {[]string{initial, joined, answered, left, joined}, "is not the state that follows"},
		"a snapshot's totals":      {[]string{strings.Replace(initial, `"total":1`, `"total":2`, 1)}, "had no such roster or totals"},
		"changes without one":      {[]string{initial, strings.Replace(refreshed, "freshness", "changes", 1)}, "has no changes"},
		"a roster that is cleared": {[]string{initial, strings.Replace(broke, `{"ada":"connected"}`, `{}`, 1)}, "changes the roster"},
		"a break without error":    {[]string{initial, strings.Replace(broke, `"error"`, `"other"`, 1)}, "has no error"},
		"a break called fresh": {
			[]string{initial, strings.Replace(strings.Replace(broke, "false", "true", 1), "DISCONNECTED", "", 1)}, "the stale_reason is",
		},
		"stale without a reason": {[]string{initial, strings.Replace(refreshed, "true", "false", 1)}, "fresh is false"},
		"a repeated heartbeat":   {[]string{initial, refreshed}, "says nothing new"},
		"a line after the last":  {[]string{initial, ended, joined}, "comes after the last line"},
		"an unknown state":       {[]string{strings.Replace(initial, "snapshot", "heartbeat", 1)}, `unknown state "heartbeat"`},
		"a retry too early": {
			[]string{initial, strings.Replace(broke, `"UNAVAILABLE"`, `"UNAVAILABLE","retry_after_ms":1500`, 1), refreshed},
			"demanded to wait 1.5s",
		},
	} {
		t.Run(name, func(t *testing.T) {
			requireProblem(t, newWatchCheck(rosters, filter{}).check(transcriptOf(t, test.lines...)), test.wrong)
		})
	}
}

// requireProblem fails the test unless one of the problems contains a text; an empty text means no
// problem.
func requireProblem(t *testing.T, found []string, wrong string) {
	t.Helper()
	all := strings.Join(found, "\n")
	if wrong == "" && all != "" || !strings.Contains(all, wrong) {
		t.Errorf("found %q, want %q", all, wrong)
	}
}

func TestWatchCheckThroughAFilter(t *testing.T) {
	connected := filter{statuses: []string{"connected"}}
	entered := strings.Replace(answered, `"updated"`, `"added"`, 1)
	for name, test := range map[string]struct {
		filter filter
		lines  []string
		wrong  string
	}{
		"enters and leaves":  {connected, []string{initial, entered, left}, ""},
		"ignores the filter": {connected, []string{initial, joined}, "is not the state that follows"},
		"ids":                {filter{ids: []string{"ada"}}, []string{initial}, ""},
		"roles":              {filter{roles: []string{"presenter"}}, []string{initial}, "had no such roster"},
	} {
		t.Run(name, func(t *testing.T) {
			requireProblem(t, newWatchCheck(rosters, test.filter).check(transcriptOf(t, test.lines...)), test.wrong)
		})
	}
}

func TestWatchCheckResumes(t *testing.T) {
	for name, test := range map[string]struct{ next, wrong string }{
		"the next change":       {answered, ""},
		"the same change again": {joined, "who was in the roster: true"},
		"a lost change":         {left, "previous_status of bob"},
	} {
		t.Run(name, func(t *testing.T) {
			earlier := newWatchCheck(rosters, filter{})
			earlier.check(transcriptOf(t, initial, joined, ended))
			resumed := newWatchCheck(rosters, filter{})
			resumed.resume(earlier)
			requireProblem(t, resumed.check(transcriptOf(t, test.next)), test.wrong)
		})
	}
}

func TestClaimsDiffer(t *testing.T) {
	outage := []claim{{at: at(0), known: true, fresh: true}, {at: at(10), known: true, reason: "UPSTREAM_TIMEOUT"}, {at: at(20), known: true, fresh: true}}
	stale := strings.Replace(refreshed, `"fresh":true`, `"fresh":false,"stale_reason":"UPSTREAM_TIMEOUT"`, 1)
	for name, test := range map[string]struct {
		lines map[int]string
		wrong string
	}{
		"stale and fresh in time":      {map[int]string{0: initial, 11: stale, 21: refreshed}, ""},
		"a stale watch called fresh":   {map[int]string{0: initial}, "said fresh for 10s while the gateway said stale (UPSTREAM_TIMEOUT)"},
		"a fresh watch called stale":   {map[int]string{0: initial, 11: stale}, "said stale (UPSTREAM_TIMEOUT) for 10s while the gateway said fresh"},
		"another reason":               {map[int]string{0: initial, 11: strings.Replace(stale, "TIMEOUT", "UNREACHABLE", 1), 21: refreshed}, "said stale (UPSTREAM_UNREACHABLE)"},
		"disconnected, which is known": {map[int]string{0: initial, 11: broke, 21: refreshed}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []line
			for second := range 30 {
				if text, ok := test.lines[second]; ok {
					l, err := parseLine(text, at(second))
					if err != nil {
						t.Fatal(err)
					}
					lines = append(lines, l)
				}
			}
			requireProblem(t, claimsDiffer(claimsOf(lines), outage, at(30)), test.wrong)
		})
	}
}

func TestDialledTwice(t *testing.T) {
	dials := []simulator.Dial{{Conference: "c", PhoneNumber: "+1"}, {Conference: "c", PhoneNumber: "+2"}, {Conference: "d", PhoneNumber: "+1"}}
	requireProblem(t, dialledTwice(dials, "c"), "")
	requireProblem(t, dialledTwice(append(dials, dials[0]), "c"), "+1 was dialled 2 times")
}

func TestDifferences(t *testing.T) {
	actual := []simulator.Participant{{ID: "ada", Status: "connected"}, {ID: "bob", Status: "disconnected"}}
	requireProblem(t, differences(actual, rosterOf(member("ada", "connected"))), "")
	requireProblem(t, differences(actual, rosterOf()), "ada (connected) is missing")
	requireProblem(t, differences(actual, rosterOf(member("ada", "held"))), "ada is held, expected connected")
	requireProblem(t, differences(actual, rosterOf(member("ada", "connected"), member("eve", "held"))), "eve is not in the conference")
}

func TestMatch(t *testing.T) {
	for name, test := range map[string]struct{ expected, got, wrong string }{
		"a subset":             {`{"a":1}`, `{"a":1,"b":2}`, ""},
		"another code":         {`{"error":{"code":"NOT_FOUND"}}`, `{"error":{"code":"INTERNAL"}}`, `error.code is "INTERNAL", expected "NOT_FOUND"`},
		"absent and null":      {`{"a":null,"b":"","c":false,"d":[]}`, `{"b":null}`, ""},
		"nothing expected":     {`{"a":null}`, `{"a":"x"}`, `a is "x", expected nothing`},
		"any text":             {`{"a":"*"}`, `{"a":"x"}`, ""},
		"a text that is empty": {`{"a":"*"}`, `{"a":""}`, `a is ""`},
		"a number":             {`{"a":{"min":1}}`, `{"a":0}`, "expected at least 1"},
		"one of":               {`{"a":{"one_of":["x","y"]}}`, `{"a":"y"}`, ""},
		"none of":              {`{"a":{"one_of":["x","y"]}}`, `{"a":"z"}`, `expected one of ["x","y"]`},
		"any order":            {`{"a":{"set":["x","y"]}}`, `{"a":["y","x"]}`, ""},
		"a set without one":    {`{"a":{"set":["x","y"]}}`, `{"a":["y"]}`, `a is ["y"]`},
		"a list in order":      {`{"a":[{"b":1},{"b":2}]}`, `{"a":[{"b":2},{"b":1}]}`, "a[0].b is 2"},
		"a list of two":        {`{"a":[{}]}`, `{"a":[{},{}]}`, "expected 1 values"},
		"a whole roster":       {`{"roster":{"ada":"held"}}`, `{"roster":{"ada":"held","bob":"held"}}`, "roster has bob"},
		"an empty roster":      {`{"roster":{}}`, `{}`, ""},
		"no object":            {`{"a":{"b":1}}`, `{}`, "expected an object"},
	} {
		t.Run(name, func(t *testing.T) {
			expected, got := transcriptOf(t, `{"id":"","x":`+test.expected+`}`)[0], transcriptOf(t, `{"id":"","x":`+test.got+`}`)[0]
			requireProblem(t, match("", expected.fields["x"], got.fields["x"]), test.wrong)
		})
	}
}
