package simulator

import (
	"slices"
	"strconv"
	"time"
)

// conference is a room and the people in it.
type conference struct {
	id string
	// people are in the order of their arrival.
	people   []*person
	arrivals int
	// seats are taken again and again; only the demo has any.
	seats []*seat
	// gone is a conference that was deleted: it answers 404.
	gone bool
}

// advance brings everybody up to now, and lets those go whom no list shows.
func (c *conference) advance(now time.Time, o *Options) {
	for _, s := range c.seats {
		s.turn(c, now, o)
	}
	for _, p := range c.people {
		p.advance(now)
	}
	c.people = slices.DeleteFunc(c.people, func(p *person) bool {
		return !p.listed(now, o.LingerDisconnected) && !now.Before(p.ghostUntil)
	})
}

// join takes a person in, who gets an id and a script where it has none.
func (c *conference) join(p *person, o *Options) {
	c.arrivals++
	p.arrival, p.Conference = c.arrivals, c.id
	f := newFate(o.Seed, o.TimeScale, c.id, strconv.Itoa(c.arrivals))
	if id := f.id(); p.ID == "" {
		p.ID = id
	}
	if p.Status == "" {
		p.Status = pending
		p.script = f.script(o.Behaviour, p.CreatedAt)
	}
	c.people = append(c.people, p)
}

// drop lets a person vanish without a word.
func (c *conference) drop(id string) (found bool) {
	before := len(c.people)
	c.people = slices.DeleteFunc(c.people, func(p *person) bool { return p.ID == id })
	return len(c.people) < before
}

// find is the person with that id; nil where the conference has none.
func (c *conference) find(id string) *person {
	at := slices.IndexFunc(c.people, func(p *person) bool { return p.ID == id })
	if at < 0 {
		return nil
	}
	return c.people[at]
}

// calls is how many lines are taken.
func (c *conference) calls() (n int) {
	for _, p := range c.people {
		if !isOver(p.Status) {
			n++
		}
	}
	return n
}

// truth is whom the vendor has, whatever its lists say.
func (c *conference) truth(now time.Time, o *Options) []Person {
	people := []Person{}
	for _, p := range c.people {
		if p.listed(now, o.LingerDisconnected) {
			people = append(people, p.at(now))
		}
	}
	return people
}

// list is whom a list shows now, in the vendor's order.
func (c *conference) list(now time.Time, o *Options) []*person {
	var people []*person
	for _, p := range c.people {
		if shown := p.shown(now, o.LingerDisconnected); shown != nil {
			people = append(people, shown)
		}
	}
	if o.NewestFirst {
		slices.Reverse(people)
	}
	return people
}
