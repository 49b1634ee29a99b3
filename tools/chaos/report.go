package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// counts are how often what happened.
type counts map[string]int

// report is what a reader can check a run by.
type report struct {
	Seed    uint64  `json:"seed"`
	Seconds float64 `json:"seconds"`
	// Broken holds every rule; each is due to be 0.
	Broken counts `json:"broken"`
	// Findings say more of the first that were broken.
	Findings []string `json:"findings"`
	Drills   counts   `json:"drills"`
	// Faults are those that struck, not those that were prepared.
	Faults counts `json:"faults"`
	// Calls are the clients' by method and code, Upstream the gateway's by operation
	// and status, where 0 is a connection that was cut.
	Calls    map[string]counts `json:"calls"`
	Upstream map[string]counts `json:"upstream_requests"`
	// Streams tells how streams were opened, resumed and ended.
	Streams counts `json:"streams"`
	Checks  counts `json:"checks"`
}

// The rules, by what is broken of them.
const (
	dialledTwice         = "dialled_twice"        // A1, A2
	falseDialledNo       = "dialled_unasked"      // A1: an add was said not to have dialled, or to have dialled another
	changesLost          = "changes_lost"         // W2, W4
	changesInvented      = "changes_invented"     // W7, W8
	wrongRemovals        = "wrong_removals"       // W7, W8: a removal without proof
	freshnessFlaps       = "freshness_flaps"      // W10, W15: STALE although lists succeed
	neighbourStale       = "stale_by_neighbour"   // W10: a healthy conference STALE because others fail
	starved              = "healthy_starved"      // W15: a healthy conference not polled because others fail
	lateRecoveries       = "late_recoveries"      // W7, W10: not FRESH again in time
	wrongStaleness       = "wrong_staleness"      // W10: not STALE in time, or for another reason
	wrongAnswers         = "wrong_answers"        // A1, A5: an add not answered as the experiment requires
	falseNotFound        = "false_not_found"      // A5: NOT_FOUND for what exists
	http2Spoken          = "http2_spoken"         // A1
	keyHammered          = "api_key_hammered"     // A6: too many exchanges of a refused API key
	wrongDrains          = "wrong_drains"         // W16: a waiting EventSource not answered 200 and a failure
	outOfOrder           = "out_of_order"         // W3
	inconsistentMessages = "inconsistentMessages" // W2: a message that does not follow from those before
	silentStreams        = "silentStreams"        // W1, W13
	unexpectedEnds       = "streams_ended"        // W10, W16: a stream that ended for no reason, or for a wrong one
	leakedGoroutines     = "leaked_goroutines"    // W12
	leakedFiles          = "leaked_descriptors"   // W12
	badExits             = "bad_exits"            // W16, and panics
	secretsLogged        = "secrets_logged"       // credentials and phone numbers
	redirected           = "redirects_followed"   // A6
	failedExperiments    = "drills_without_bite"  // A drill that did not do what it is for
)

var rules = []string{
	dialledTwice, falseDialledNo, changesLost, changesInvented, outOfOrder, inconsistentMessages, silentStreams, unexpectedEnds,
	wrongRemovals, freshnessFlaps, neighbourStale, starved, lateRecoveries, wrongStaleness, wrongAnswers, falseNotFound,
	http2Spoken, keyHammered, wrongDrains,
	leakedGoroutines, leakedFiles, badExits, secretsLogged, redirected, failedExperiments,
}

// mostFindings is how many findings of a rule a report tells; further ones are counted.
const mostFindings = 5

// results is the report as it grows.
type results struct {
	mu     sync.Mutex
	report report
}

func newResults(seed uint64) *results {
	t := &results{report: report{
		Seed: seed, Broken: counts{}, Findings: []string{}, Drills: counts{}, Faults: counts{},
		Calls: map[string]counts{}, Upstream: map[string]counts{}, Streams: counts{}, Checks: counts{},
	}}
	for _, rule := range rules {
		t.report.Broken[rule] = 0
	}
	return t
}

func (t *results) violatef(rule, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Broken[rule]++
	if t.report.Broken[rule] <= mostFindings {
		t.report.Findings = append(t.report.Findings, rule+": "+fmt.Sprintf(format, args...))
	}
}

func (t *results) experiment(name string)   { t.add(t.report.Drills, name, 1) }
func (t *results) fault(kind string)        { t.add(t.report.Faults, kind, 1) }
func (t *results) stream(what string)       { t.add(t.report.Streams, what, 1) }
func (t *results) check(what string, n int) { t.add(t.report.Checks, what, n) }

func (t *results) call(method, code string)              { t.nest(t.report.Calls, method, code) }
func (t *results) upstreamRequest(operation, how string) { t.nest(t.report.Upstream, operation, how) }

func (t *results) add(c counts, key string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c[key] += n
}

func (t *results) nest(all map[string]counts, group, key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if all[group] == nil {
		all[group] = counts{}
	}
	all[group][key]++
}

// faultCount is how often a fault of that kind has struck so far.
func (t *results) faultCount(kind string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.report.Faults[kind]
}

// complete says whether nothing was broken.
func (r *report) complete() bool {
	for _, n := range r.Broken {
		if n > 0 {
			return false
		}
	}
	return true
}

// write puts the report into a file.
func (r *report) write(path string) error {
	text, err := json.Marshal(r, jsontext.WithIndent("  "), json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// print tells the report to whoever waits for it.
func (r *report) print(out io.Writer) {
	section := func(title string, c counts) {
		_, _ = fmt.Fprintf(out, "\n%s\n", title)
		for _, key := range slices.Sorted(maps.Keys(c)) {
			_, _ = fmt.Fprintf(out, "  %-40s %d\n", key, c[key])
		}
	}
	section("drills", r.Drills)
	section("faults that struck", r.Faults)
	for _, method := range slices.Sorted(maps.Keys(r.Calls)) {
		section("calls: "+method, r.Calls[method])
	}
	for _, operation := range slices.Sorted(maps.Keys(r.Upstream)) {
		section("requests upstream: "+operation, r.Upstream[operation])
	}
	section("streams", r.Streams)
	section("checks", r.Checks)
	section("broken (each due to be 0)", r.Broken)
	for _, finding := range r.Findings {
		_, _ = fmt.Fprintf(out, "\n! %s\n", finding)
	}
	_, _ = fmt.Fprintf(out, "\nseed %d, %.0f s\n", r.Seed, r.Seconds)
}
