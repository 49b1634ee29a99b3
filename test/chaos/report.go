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

// counts are numbers of events by name.
type counts map[string]int

// report is the result of a run.
type report struct {
	Seed    uint64  `json:"seed"`
	Seconds float64 `json:"seconds"`
	// Broken holds every rule; each must be 0.
	Broken counts `json:"broken"`
	// Findings describe the first violations of each rule.
	Findings    []string `json:"findings"`
	Experiments counts   `json:"experiments"`
	// Faults counts those that took effect, not those that were injected.
	Faults counts `json:"faults"`
	// Calls are those of the clients by method and code, Upstream those of the gateway by
	// operation and status; status 0 is a connection that was cut.
	Calls    map[string]counts `json:"calls"`
	Upstream map[string]counts `json:"upstream_requests"`
	// Streams counts how streams were opened, resumed and ended.
	Streams counts `json:"streams"`
	Checks  counts `json:"checks"`
}

// The rules, by the counter of their violations.
const (
	dialledTwice         = "dialled_twice"          // A1, A2
	falseDialledNo       = "false_dialled_no"       // A1: dialled=no, although a phone was dialled
	changesLost          = "changes_lost"           // W2, W4
	changesInvented      = "changes_invented"       // W7, W8
	wrongRemovals        = "wrong_removals"         // W7, W8: a removal without proof
	writesUndone         = "writes_undone"          // W5, W6: a write taken back while lists lag
	freshnessFlaps       = "freshness_flaps"        // W10, W15: STALE although lists succeed
	neighbourStale       = "stale_by_neighbour"     // W10: a healthy conference STALE because others fail
	starved              = "healthy_starved"        // W15: a healthy conference not polled because others fail
	lateRecoveries       = "late_recoveries"        // W7, W10: not FRESH again in time
	wrongStaleness       = "wrong_staleness"        // W10: not STALE in time, or for another reason
	wrongAnswers         = "wrong_answers"          // A1, A5: an add not answered as the experiment requires
	falseRemoved         = "false_removed"          // A5: a removal answered as done, or NOT_FOUND, of a participant who is present
	falseNotFound        = "false_not_found"        // A5: NOT_FOUND for what exists
	http2Spoken          = "http2_spoken"           // A1
	keyHammered          = "api_key_hammered"       // A6: too many exchanges of a refused API key
	wrongDrains          = "wrong_drains"           // W16: a waiting EventSource not answered 200 and a failure
	outOfOrder           = "out_of_order"           // W3
	inconsistentMessages = "inconsistent_messages"  // W2: a message that does not follow from those before
	silentStreams        = "silent_streams"         // W1, W13
	unexpectedEnds       = "unexpected_stream_ends" // W10, W16: a stream that ended without a reason, or with a wrong one
	leakedGoroutines     = "leaked_goroutines"      // W12
	leakedFiles          = "leaked_descriptors"     // W12
	badExits             = "bad_exits"              // W16, and panics
	secretsLogged        = "secrets_logged"         // credentials and phone numbers
	redirected           = "redirects_followed"     // A6
	failedExperiments    = "failed_experiments"     // An experiment that had no effect
	tooManyPolls         = "too_many_polls"         // R1: more than one list an interval
	lateTakeovers        = "late_takeovers"         // R3: no poll for longer than a takeover may take
	tooManyAdds          = "too_many_adds"          // R5, R8: more than ten adds a second, or more than a share on top
	notRecovered         = "not_recovered"          // R8: a replica or a stream that is not well after the faults
	keysForever          = "keys_without_ttl"       // R9
	secretsInRedis       = "secrets_in_redis"       // R10
)

var rules = []string{
	dialledTwice, falseDialledNo, changesLost, changesInvented, outOfOrder, inconsistentMessages, silentStreams, unexpectedEnds,
	wrongRemovals, writesUndone, freshnessFlaps, neighbourStale, starved, lateRecoveries, wrongStaleness, wrongAnswers,
	falseRemoved, falseNotFound,
	http2Spoken, keyHammered, wrongDrains,
	leakedGoroutines, leakedFiles, badExits, secretsLogged, redirected, failedExperiments,
	tooManyPolls, lateTakeovers, tooManyAdds, notRecovered, keysForever, secretsInRedis,
}

// mostFindings is the number of findings of a rule that a report describes; all are
// counted.
const mostFindings = 5

// results is the report as it grows.
type results struct {
	mu     sync.Mutex
	report report
}

func newResults(seed uint64) *results {
	t := &results{report: report{
		Seed: seed, Broken: counts{}, Findings: []string{}, Experiments: counts{}, Faults: counts{},
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

func (t *results) experiment(name string)   { t.add(t.report.Experiments, name, 1) }
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

// faultCount returns how often a fault of that kind has taken effect.
func (t *results) faultCount(kind string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.report.Faults[kind]
}

// checkCount returns how often something was checked.
func (t *results) checkCount(what string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.report.Checks[what]
}

// passed reports whether no rule was broken.
func (r *report) passed() bool {
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

// print writes the report as text.
func (r *report) print(out io.Writer) {
	section := func(title string, c counts) {
		_, _ = fmt.Fprintf(out, "\n%s\n", title)
		for _, key := range slices.Sorted(maps.Keys(c)) {
			_, _ = fmt.Fprintf(out, "  %-40s %d\n", key, c[key])
		}
	}
	section("experiments", r.Experiments)
	section("faults that took effect", r.Faults)
	for _, method := range slices.Sorted(maps.Keys(r.Calls)) {
		section("calls: "+method, r.Calls[method])
	}
	for _, operation := range slices.Sorted(maps.Keys(r.Upstream)) {
		section("requests upstream: "+operation, r.Upstream[operation])
	}
	section("streams", r.Streams)
	section("checks", r.Checks)
	section("broken (each must be 0)", r.Broken)
	for _, finding := range r.Findings {
		_, _ = fmt.Fprintf(out, "\n! %s\n", finding)
	}
	_, _ = fmt.Fprintf(out, "\nseed %d, %.0f s\n", r.Seed, r.Seconds)
}
