package audian

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/participant"
)

// listOf is the body of a list in which everybody has the same duration.
func listOf(participants, duration int) string {
	items := make([]string, participants)
	for i := range items {
		items[i] = fmt.Sprintf(`{"id":"part_%d","name":"Participant %d","status":"connected","duration":%d}`, i, i, duration)
	}
	return fmt.Sprintf(`{"participants":[%s],"total":%d}`, strings.Join(items, ","), participants)
}

// TestLister_ReadsWhatTheClientReads lets a Lister and the Client read the same lists, of one page
// and of several, between failures.
func TestLister_ReadsWhatTheClientReads(t *testing.T) {
	var pages map[string]string
	u := &upstream{answer: func(r *http.Request) (*http.Response, error) {
		body, ok := pages[r.URL.Query().Get("start_key")]
		if !ok {
			return reply(503, ""), nil
		}
		return reply(200, body), nil
	}}
	c := client(t, u)
	lister := c.NewLister("conf")
	next := func(body, key string) string {
		return strings.TrimSuffix(body, "}") + `,"next_start_key":"` + key + `"}`
	}
	for i, lists := range []map[string]string{
		{"": listOf(3, 1)},
		{"": listOf(3, 2)},
		{},
		{"": listOf(3, 10)},
		{"": strings.Replace(listOf(3, 11), `"part_2"`, `"part_0"`, 1)},
		{"": listOf(3, 12)},
		{"": next(listOf(3, 13), "k"), "k": `{"participants":[{"id":"part_1","duration":14},{"id":"x","duration":1}]}`},
		{"": next(listOf(3, 14), "k"), "k": `{"participants":[{"id":"y","duration":15},{"id":"x","duration":2}]}`},
		{"": next(listOf(3, 15), "k"), "k": `{"participants":[{"id":"y","duration":16},{"id":"x","duration":3}]}`},
		{"": next(listOf(3, 16), "k")},
		{"": next(listOf(3, 17), "k"), "k": `{"participants":[{"id":"y","duration":17},{"id":"x","duration":4}]}`},
		{"": listOf(3, 18)},
		{"": `{"participants":[]}`},
		{"": listOf(3, 19)},
		{"": `{"participants":[{"id":"part_0"},1]}`},
		{"": listOf(3, 20)},
	} {
		pages = lists
		got, err := lister.List(t.Context(), Pacing{})
		want, wantErr := c.List(t.Context(), "conf", Pacing{})
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || fmt.Sprint(got.PageErr) != fmt.Sprint(want.PageErr) {
			t.Errorf("list %d: %v, %v, want %v, %v", i, err, got.PageErr, wantErr, want.PageErr)
		}
		if !reflect.DeepEqual(summarize(got), summarize(want)) {
			t.Errorf("list %d: got %+v, want %+v", i, got, want)
		}
	}
}

// summary is a list without its times and its error.
type summary struct {
	items         []participant.Item
	pages, read   int
	total, active *int
	placeholder   bool
}

func summarize(list participant.List) summary {
	return summary{list.Items, list.Pages, list.Read, list.Total, list.Active, list.Placeholder}
}

// TestLister_AllocatesNothingForAParticipant reads lists of which only durations tick.
func TestLister_AllocatesNothingForAParticipant(t *testing.T) {
	allocations := func(participants int) float64 {
		duration := 0
		bodies := [2]string{listOf(participants, 9), listOf(participants, 10)}
		lister := client(t, &upstream{answer: func(*http.Request) (*http.Response, error) {
			duration++
			return reply(200, bodies[duration%2]), nil
		}}).NewLister("conf")
		return testing.AllocsPerRun(20, func() {
			if list, err := lister.List(t.Context(), Pacing{}); err != nil || len(list.Items) != participants {
				t.Errorf("%d participants, error %v", len(list.Items), err)
			}
		})
	}
	if few, many := allocations(10), allocations(1000); many > few+25 {
		t.Errorf("a list of 1,000 takes %v allocations, one of 10 takes %v", many, few)
	}
}

// TestLister_KeepsNoLongList reads a list that is longer than what a Lister keeps.
func TestLister_KeepsNoLongList(t *testing.T) {
	body := listOf(3, 1)
	long := body + strings.Repeat(" ", maxKeptBytes)
	for given, kept := range map[string]bool{body: true, long: false} {
		lister := client(t, always(200, given)).NewLister("conf")
		if _, err := lister.List(t.Context(), Pacing{}); err != nil {
			t.Fatal(err)
		}
		if got := lister.last[0] != nil; got != kept {
			t.Errorf("keeps a list of %d bytes: %t, want %t", len(given), got, kept)
		}
	}
}
