package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

func freshnessOf(w *harness, states ...string) *watcher {
	client := &watcher{harness: w, conference: "conf_a", transport: "gRPC", held: roster{}}
	for _, state := range states {
		client.recordFreshness(&checkpoint{Freshness: state})
	}
	return client
}

func TestW10_StaleConferencesAreFound(t *testing.T) {
	for name, test := range map[string]struct {
		states []string
		rule   string
	}{
		"always fresh":     {[]string{fresh, fresh}, ""},
		"stale":            {[]string{fresh, stale}, freshnessFlaps},
		"stale and again":  {[]string{fresh, stale, stale}, freshnessFlaps},
		"stale, then well": {[]string{stale, fresh}, freshnessFlaps},
	} {
		w := newTestHarness()
		began := time.Now().Add(-time.Second)
		w.stayFresh(freshnessFlaps, began, []*watcher{freshnessOf(w, test.states...)})
		expect(t, name, w.results, test.rule)
	}
}

func TestW10_MissingRecoveryIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		states []string
		rule   string
	}{
		"recovered":        {[]string{stale, fresh}, ""},
		"stale for ever":   {[]string{fresh, stale}, lateRecoveries},
		"without messages": {nil, lateRecoveries},
	} {
		w := newTestHarness()
		w.await(t.Context(), lateRecoveries, "FRESH", time.Millisecond, []*watcher{freshnessOf(w, test.states...)}, isFresh)
		expect(t, name, w.results, test.rule)
	}
}

func TestW07_FreshWithoutACompleteListIsFound(t *testing.T) {
	incomplete := &checkpoint{Freshness: stale, Reason: "UPSTREAM_INCOMPLETE"}
	for name, test := range map[string]struct {
		states []*checkpoint
		rule   string
	}{
		"stale":            {[]*checkpoint{incomplete}, ""},
		"fresh before":     {[]*checkpoint{{Freshness: fresh}, incomplete}, wrongStaleness},
		"fresh":            {[]*checkpoint{incomplete, {Freshness: fresh}}, wrongStaleness},
		"another reason":   {[]*checkpoint{{Freshness: stale, Reason: "UPSTREAM_TIMEOUT"}}, wrongStaleness},
		"without messages": {nil, wrongStaleness},
	} {
		w := newTestHarness()
		client := freshnessOf(w)
		for _, c := range test.states {
			client.recordFreshness(c)
		}
		w.stayStale([]*watcher{client})
		expect(t, name, w.results, test.rule)
	}
}

// playedHarness has an upstream that answers requests in memory.
func playedHarness(t *testing.T) (*harness, func(method, path string)) {
	t.Helper()
	w := newTestHarness()
	w.upstream = &upstreamServer{Simulator: simulator.New(simulator.Options{APIKeys: []string{secret}})}
	client := &http.Client{Transport: w.upstream.Transport()}
	return w, func(method, path string) {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://upstream"+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
}

func TestW15_ConferencesThatAreNotListedAreFound(t *testing.T) {
	for name, test := range map[string]struct {
		since time.Duration
		list  string
		rule  string
	}{
		"listed":              {0, "conf_a", ""},
		"not listed, so far":  {0, "conf_b", ""},
		"listed late":         {2 * healthyGap, "conf_a", starved},
		"another was listed":  {2 * healthyGap, "conf_b", starved},
		"just before the end": {healthyGap - time.Second, "conf_a", ""},
	} {
		w, request := playedHarness(t)
		request(http.MethodGet, pathOf(test.list))
		w.checkGaps(time.Now().Add(-test.since-time.Second/2), []string{"conf_a"})
		expect(t, name, w.results, test.rule)
	}
}

func TestA06_TooManyExchangesAreFound(t *testing.T) {
	for exchanges, rule := range map[int]string{0: keyHammered, 2: "", mostExchanges: "", mostExchanges + 1: keyHammered} {
		w, request := playedHarness(t)
		for range exchanges {
			request(http.MethodPut, "/v2/api_auth")
		}
		w.checkExchanges()
		expect(t, http.MethodPut, w.results, rule)
	}
}

func TestA05_FalseNotFoundIsFound(t *testing.T) {
	for code, want := range map[string]bool{
		"NotFound PARTICIPANT_NOT_FOUND": true, "404 CONFERENCE_NOT_FOUND": true,
		"Unavailable UPSTREAM_UNAVAILABLE": false, "503": false, "OK": false, "204": false,
	} {
		if isNotFound(code) != want {
			t.Errorf("%q: not found is %t", code, !want)
		}
	}
}

func TestA01_RequiredAnswersAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		required func(answer) bool
		got      answer
		rule     string
	}{
		"succeeded":           {succeeded, answer{id: "p1"}, ""},
		"unknown":             {succeeded, answer{dialled: "unknown"}, wrongAnswers},
		"not dialled":         {notDialled, answer{dialled: "no"}, ""},
		"perhaps was dialled": {notDialled, answer{dialled: "unknown"}, wrongAnswers},
	} {
		w := newTestHarness()
		w.writers.adds = []*add{{answers: []answer{test.got}}}
		w.writers.requireAll(test.required)
		expect(t, name, w.results, test.rule)
	}
}
