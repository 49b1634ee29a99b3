package simulator_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/audian/participant-gateway/internal/simulator"
)

// startWith starts a simulator with participants part_1 to part_n in one conference.
func startWith(t *testing.T, n int, o simulator.Options) (*simulator.Simulator, *client) {
	t.Helper()
	o.Behaviour = simulator.Still
	s, c := start(t, o)
	for i := range n {
		s.AddParticipant(conferenceID, simulator.Participant{ID: fmt.Sprintf("part_%d", i+1)})
	}
	return s, c
}

// pages reads all pages of a list, and calls between after each.
func (c *client) pages(between func()) (all [][]string, totals []int) {
	c.t.Helper()
	for query := ""; ; between() {
		got := c.page(query)
		all, totals = append(all, ids(got.Participants)), append(totals, got.Total)
		if got.NextStartKey == "" {
			return all, totals
		}
		query = "?start_key=" + got.NextStartKey
	}
}

func TestPages(t *testing.T) {
	tests := map[string]struct {
		options simulator.Options
		count   int
		want    string
	}{
		"none":         {simulator.Options{PageSize: 2}, 0, "[[]]"},
		"one page":     {simulator.Options{}, 3, "[[part_1 part_2 part_3]]"},
		"even":         {simulator.Options{PageSize: 2}, 4, "[[part_1 part_2] [part_3 part_4]]"},
		"odd":          {simulator.Options{PageSize: 2}, 5, "[[part_1 part_2] [part_3 part_4] [part_5]]"},
		"newest first": {simulator.Options{PageSize: 2, NewestFirst: true}, 3, "[[part_3 part_2] [part_1]]"},
		"one by one":   {simulator.Options{PageSize: 1, NewestFirst: true}, 3, "[[part_3] [part_2] [part_1]]"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, c := startWith(t, test.count, test.options)
			got, totals := c.pages(func() {})
			if fmt.Sprint(got) != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
			for _, total := range totals {
				if total != test.count {
					t.Errorf("totals %v", totals)
				}
			}
		})
	}
}

// Only participants who leave between two pages are missed.
func TestPages_WhileParticipantsLeave(t *testing.T) {
	for _, newestFirst := range []bool{false, true} {
		t.Run(fmt.Sprintf("newest first %t", newestFirst), func(t *testing.T) {
			s, c := startWith(t, 6, simulator.Options{PageSize: 2, NewestFirst: newestFirst})
			leaving := []string{"part_3", "part_4"}
			got, _ := c.pages(func() {
				if len(leaving) > 0 {
					s.RemoveParticipant(conferenceID, leaving[0])
					leaving = leaving[1:]
				}
			})
			flat := slices.Concat(got...)
			for _, id := range []string{"part_1", "part_2", "part_5", "part_6"} {
				if n := slices.Index(flat, id); n < 0 || slices.Contains(flat[n+1:], id) {
					t.Errorf("%s is not listed exactly once: %v", id, got)
				}
			}
		})
	}
}

func TestPages_KeyAfterTheEnd(t *testing.T) {
	s, c := startWith(t, 2, simulator.Options{PageSize: 1})
	next := c.list().NextStartKey
	s.RemoveParticipant(conferenceID, "part_2")
	if got := c.page("?start_key=" + next); len(got.Participants) != 0 || got.NextStartKey != "" {
		t.Errorf("got %+v", got)
	}
	c.want(http.StatusBadRequest, http.MethodGet, participantsPath(conferenceID)+"?start_key=nonsense", "")
}
