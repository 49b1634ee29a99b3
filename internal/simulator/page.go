package simulator

import (
	"net/http"
	"strconv"
	"time"
)

// list answers with one page of the roster.
func (s *Simulator) list(c *call, now time.Time) answer {
	room := s.conference(c.conferenceID(), now)
	if room == nil {
		return noConference()
	}
	people := room.list(now, &s.options)
	body := wireList{Total: len(people), Active: active(people), Participants: []wireItem{}}
	shown, next, ok := s.part(c, people)
	if !ok {
		return refuse(http.StatusBadRequest, "invalid value: start_key")
	}
	if s.options.PageSize > 0 {
		body.page = page{PageSize: len(shown), NextStartKey: next}
	}
	for _, p := range shown {
		body.Participants = append(body.Participants, item(p.at(now)))
	}
	return succeed(c.fault.thin(body))
}

func active(people []*person) (n int) {
	for _, p := range people {
		if isActive(p.Status) {
			n++
		}
	}
	return n
}

// part is the page that was asked for, and the key of the one after it.
func (s *Simulator) part(c *call, people []*person) (shown []*person, next string, ok bool) {
	query := c.request.URL.Query()
	size := s.options.PageSize
	if size <= 0 || s.options.HonourPaginateFalse && query.Get("paginate") == "false" {
		return people, "", true
	}
	start, ok := s.start(people, query.Get("start_key"))
	if !ok {
		return nil, "", false
	}
	start = c.fault.shifted(start, len(people))
	end := min(start+size, len(people))
	if end < len(people) {
		next = strconv.Itoa(people[end].arrival)
	}
	return people[start:end], next, true
}

// start is the index at which a page begins. Its key is an arrival, so that people
// who leave between two pages do not move the others.
func (s *Simulator) start(people []*person, key string) (index int, ok bool) {
	if key == "" {
		return 0, true
	}
	arrival, err := strconv.Atoi(key)
	if err != nil {
		return 0, false
	}
	for i, p := range people {
		if p.arrival == arrival || (p.arrival > arrival) != s.options.NewestFirst {
			return i, true
		}
	}
	return len(people), true
}
