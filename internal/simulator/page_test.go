package simulator_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"github.com/audian/participant-gateway/internal/simulator"
)

// crowd is a conference of people named part_1 to part_n.
func crowd(t *testing.T, n int, o simulator.Options) (*simulator.Simulator, *client) {
	t.Helper()
	o.Behaviour = simulator.Still
	s, c := start(t, o)
	for i := range n {
		s.AddPerson(room, simulator.Person{ID: fmt.Sprintf("part_%d", i+1)})
	}
	return s, c
}

// pages reads a list page by page; between is called between two.
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
		people  int
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
			_, c := crowd(t, test.people, test.options)
			got, totals := c.pages(func() {})
			if fmt.Sprint(got) != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
			for _, total := range totals {
				if total != test.people {
					t.Errorf("totals %v", totals)
				}
			}
		})
	}
}

// Keys hold although people come and go: only those who do are missed or seen twice.
func TestPagesWhilePeopleComeAndGo(t *testing.T) {
	for _, newestFirst := range []bool{false, true} {
		t.Run(fmt.Sprintf("newest first %t", newestFirst), func(t *testing.T) {
			s, c := crowd(t, 6, simulator.Options{PageSize: 2, NewestFirst: newestFirst})
			leaving := []string{"part_3", "part_4"}
			got, _ := c.pages(func() {
				if len(leaving) > 0 {
					s.RemovePerson(room, leaving[0])
					leaving = leaving[1:]
				}
			})
			flat := slices.Concat(got...)
			for _, id := range []string{"part_1", "part_2", "part_5", "part_6"} {
				if n := slices.Index(flat, id); n < 0 || slices.Contains(flat[n+1:], id) {
					t.Errorf("%s is not there once: %v", id, got)
				}
			}
		})
	}
}

func TestKeyBehindTheEnd(t *testing.T) {
	s, c := crowd(t, 2, simulator.Options{PageSize: 1})
	next := c.list().NextStartKey
	s.RemovePerson(room, "part_2")
	if got := c.page("?start_key=" + next); len(got.Participants) != 0 || got.NextStartKey != "" {
		t.Errorf("got %+v", got)
	}
	c.want(http.StatusBadRequest, http.MethodGet, people(room)+"?start_key=nonsense", "")
}

func TestPaginateFalse(t *testing.T) {
	for _, honoured := range []bool{false, true} {
		t.Run(strconv.FormatBool(honoured), func(t *testing.T) {
			_, c := crowd(t, 3, simulator.Options{PageSize: 2, HonourPaginateFalse: honoured})
			got := c.page("?paginate=false")
			if all := len(got.Participants) == 3 && got.NextStartKey == ""; all != honoured {
				t.Errorf("got %+v", got)
			}
		})
	}
}
