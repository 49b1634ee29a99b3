package simulator

import (
	"fmt"
	"strconv"
	"time"
)

// seat is a place in the demo conference that one participant after another takes, one
// each round. Rounds have equal lengths and each is a function of the seed, so no past
// round has to be computed.
type seat struct {
	number int
	began  time.Time
	length time.Duration
	// regular seats are occupied for the whole round, so that the demo is never empty.
	regular bool

	round    int
	occupant string
}

const (
	demoSeats    = 14
	regularSeats = 6
)

// newSeats returns the seats of a demo conference that has been going on for a while.
func newSeats(now time.Time, o *Options) []*seat {
	seats := make([]*seat, 0, demoSeats)
	for number := range demoSeats {
		g := newGenerator(o.Seed, o.TimeScale, DemoConference, "seat", strconv.Itoa(number))
		length := g.between(90, 180)
		began := now.Add(-time.Duration(g.Float64() * float64(length)))
		seats = append(seats, &seat{
			number: number, began: began, length: length, regular: number < regularSeats, round: -1,
		})
	}
	return seats
}

// lookupForAdd returns the conference of an add, nil for none. In the demo only an add
// creates a conference: other requests for an unknown one are answered 404.
func (s *Simulator) lookupForAdd(id string, now time.Time) *conference {
	if s.options.Demo && !s.options.KnownOnly && s.state.conferences[id] == nil {
		s.state.create(id)
	}
	return s.lookup(id, now)
}

// advance replaces the participant when a new round has begun.
func (s *seat) advance(c *conference, now time.Time, o *Options) {
	round := int(now.Sub(s.began) / s.length)
	if round == s.round {
		return
	}
	c.remove(s.occupant)
	s.round = round
	next := s.participantOf(round, o)
	c.join(next, o)
	s.occupant = next.ID
}

// participantOf returns the participant who takes the seat in a round.
func (s *seat) participantOf(round int, o *Options) *participant {
	g := newGenerator(o.Seed, o.TimeScale, DemoConference, "guest", strconv.Itoa(s.number), strconv.Itoa(round))
	start := s.began.Add(time.Duration(round) * s.length)
	p := &participant{Participant: Participant{ID: g.id(), CreatedAt: start, Role: s.role(), Status: pending}}
	p.Name = demoNames[(s.number+round*demoSeats+int(o.Seed%demoSeats))%len(demoNames)]
	p.PhoneNumber = s.fictionalNumber(round)
	p.timeline = s.timeline(g, start, o.LingerDisconnected)
	return p
}

// fictionalNumber is one of the hundred numbers that are reserved for fiction. Each seat
// has seven, so that no two participants of the demo have the same.
func (s *seat) fictionalNumber(round int) string {
	return fmt.Sprintf("+120255501%02d", s.number*7+round%7)
}

func (s *seat) role() string {
	switch s.number {
	case 0:
		return presenter
	case 1:
		return operator
	default:
		return listener
	}
}

// timeline draws the events of one round.
func (s *seat) timeline(g generator, start time.Time, linger time.Duration) []scheduledEvent {
	events, answered := g.ringing(start)
	if !s.regular && g.Float64() < 0.15 {
		return append(events, scheduledEvent{answered, reject})
	}
	return append(events, g.conversation(answered, start.Add(s.callLength(g, linger)), 6, 18)...)
}

// callLength is the time from the start of the round to the hang-up. On a regular seat it
// leaves just the time to linger before the next round.
func (s *seat) callLength(g generator, linger time.Duration) time.Duration {
	if s.regular {
		return s.length - min(linger, s.length/4)
	}
	return time.Duration((0.6 + 0.25*g.Float64()) * float64(s.length))
}

// demoNames are three names for each seat, which it uses in turn.
var demoNames = [3 * demoSeats]string{
	"Amara Okafor", "Liam Murphy", "Sofia Rossi", "Hiroshi Tanaka", "Priya Raman", "Mateo García", "Fatima Zahra",
	"Noah Williams", "Chloé Dubois", "Kwame Mensah", "Ingrid Larsen", "Omar Haddad", "Mei-Ling Chen", "Jonas Weber",
	"Zanele Dlamini", "Oliver Smith", "Yara Khalil", "Arjun Patel", "Katarzyna Nowak", "Diego Fernández", "Leila Hosseini",
	"Ethan Brooks", "Anaïs Laurent", "Tunde Adeyemi", "Freya Nilsson", "Yusuf Demir", "Linh Nguyễn", "Lukas Novák",
	"Thandiwe Moyo", "Grace O’Connor", "Giulia Conti", "Kenji Sato", "Ananya Iyer", "Camila Rojas", "Nadia Petrova",
	"Samuel Johnson", "Élodie Martin", "Abena Owusu", "Mikko Virtanen", "Hassan Ali", "Soo-jin Park", "Eleni Papadaki",
}
