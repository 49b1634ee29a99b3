package simulator

import (
	"slices"
	"strconv"
	"time"
)

type conference struct {
	id string
	// participants are in the order in which they joined; joined counts them.
	participants []*participant
	joined       int
	// seats are set only in the demo.
	seats   []*seat
	deleted bool
}

// advance applies all events up to now, and drops participants that no list shows any
// more.
func (c *conference) advance(now time.Time, o *Options) {
	for _, s := range c.seats {
		s.advance(c, now, o)
	}
	for _, p := range c.participants {
		p.advance(now)
	}
	c.participants = slices.DeleteFunc(c.participants, func(p *participant) bool {
		return !p.present(now, o.LingerDisconnected) && !now.Before(p.staleUntil)
	})
}

// join adds a participant, and generates the id and the timeline that it lacks.
func (c *conference) join(p *participant, o *Options) {
	c.joined++
	p.sequence, p.Conference = c.joined, c.id
	g := newGenerator(o.Seed, o.TimeScale, c.id, strconv.Itoa(c.joined))
	if id := g.id(); p.ID == "" {
		p.ID = id
	}
	if p.Status == "" {
		p.Status = pending
		p.timeline = g.timeline(o.Behaviour, p.CreatedAt)
	}
	c.participants = append(c.participants, p)
}

func (c *conference) remove(id string) (found bool) {
	before := len(c.participants)
	c.participants = slices.DeleteFunc(c.participants, func(p *participant) bool { return p.ID == id })
	return len(c.participants) < before
}

// find returns the participant with that id, nil for none.
func (c *conference) find(id string) *participant {
	at := slices.IndexFunc(c.participants, func(p *participant) bool { return p.ID == id })
	if at < 0 {
		return nil
	}
	return c.participants[at]
}

// activeCalls counts the calls that are not over, which max_participants limits.
func (c *conference) activeCalls() (n int) {
	for _, p := range c.participants {
		if !isOver(p.Status) {
			n++
		}
	}
	return n
}

// actual returns the participants without regard to list lag.
func (c *conference) actual(now time.Time, o *Options) []Participant {
	all := []Participant{}
	for _, p := range c.participants {
		if p.present(now, o.LingerDisconnected) {
			all = append(all, p.at(now))
		}
	}
	return all
}

// listed returns the participants that a list contains now, in the order of lists.
func (c *conference) listed(now time.Time, o *Options) []*participant {
	var all []*participant
	for _, p := range c.participants {
		if entry := p.listEntry(now, o.LingerDisconnected); entry != nil {
			all = append(all, entry)
		}
	}
	if o.NewestFirst {
		slices.Reverse(all)
	}
	return all
}
