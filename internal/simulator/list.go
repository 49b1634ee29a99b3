package simulator

import (
	"net/http"
	"strconv"
	"time"
)

// list returns one page of the participants.
func (s *Simulator) list(c *call, now time.Time) result {
	conf := s.lookup(c.conferenceID(), now)
	if conf == nil {
		return noConference()
	}
	all := conf.listed(now, &s.options)
	body := wireList{Total: len(all), Active: countActive(all), Participants: []wireItem{}}
	items, next, ok := s.pageOf(c, all)
	if !ok {
		return failure(http.StatusBadRequest, "invalid value: start_key")
	}
	if s.options.PageSize > 0 {
		body.page = page{PageSize: len(items), NextStartKey: next}
	}
	for _, p := range items {
		body.Participants = append(body.Participants, item(p.at(now)))
	}
	return success(c.fault.alterList(body))
}

func countActive(participants []*participant) (n int) {
	for _, p := range participants {
		if isActive(p.Status) {
			n++
		}
	}
	return n
}

// pageOf returns the requested page, and the key of the next one.
func (s *Simulator) pageOf(c *call, all []*participant) (items []*participant, next string, ok bool) {
	size := s.options.PageSize
	if size <= 0 {
		return all, "", true
	}
	start, ok := s.pageStart(all, c.request.URL.Query().Get("start_key"))
	if !ok {
		return nil, "", false
	}
	start = c.fault.shiftStart(start, len(all))
	end := min(start+size, len(all))
	if end < len(all) {
		next = strconv.Itoa(all[end].sequence)
	}
	return all[start:end], next, true
}

// pageStart returns the index at which a page begins. The key is a sequence number, so
// that participants who leave between two pages do not shift the others.
func (s *Simulator) pageStart(all []*participant, key string) (index int, ok bool) {
	if key == "" {
		return 0, true
	}
	sequence, err := strconv.Atoi(key)
	if err != nil {
		return 0, false
	}
	for i, p := range all {
		if p.sequence == sequence || (p.sequence > sequence) != s.options.NewestFirst {
			return i, true
		}
	}
	return len(all), true
}
