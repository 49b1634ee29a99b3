package simulator

import (
	"fmt"
	"strconv"
	"time"
)

// seat is a chair of the demo that is taken again and again. Its turns are of equal
// length and each is a function of the seed, so nothing has to be caught up however
// long nobody looked.
type seat struct {
	number int
	began  time.Time
	length time.Duration
	// regular seats are never empty: they keep the demo from running dry.
	regular bool

	turns    int
	occupant string
}

const (
	demoSeats    = 14
	regularSeats = 6
)

// takeSeats opens the demo as if it had been going on for a while.
func takeSeats(now time.Time, o *Options) []*seat {
	seats := make([]*seat, 0, demoSeats)
	for number := range demoSeats {
		f := newFate(o.Seed, o.TimeScale, DemoConference, "seat", strconv.Itoa(number))
		length := f.between(90, 180)
		began := now.Add(-time.Duration(f.Float64() * float64(length)))
		seats = append(seats, &seat{
			number: number, began: began, length: length, regular: number < regularSeats, turns: -1,
		})
	}
	return seats
}

// addTo is the conference that an add calls into, as it stands now; nil where the vendor
// knows none. In the demo reads create no conference, so that NOT_FOUND can be met, but
// an add does.
func (s *Simulator) addTo(id string, now time.Time) *conference {
	if s.options.Demo && !s.options.KnownOnly && s.world.conferences[id] == nil {
		s.world.create(id)
	}
	return s.conference(id, now)
}

// turn lets the next person take the seat when it is time.
func (s *seat) turn(c *conference, now time.Time, o *Options) {
	turns := int(now.Sub(s.began) / s.length)
	if turns == s.turns {
		return
	}
	c.drop(s.occupant)
	s.turns = turns
	next := s.guest(turns, o)
	c.join(next, o)
	s.occupant = next.ID
}

// guest is whoever has the seat in one of its turns.
func (s *seat) guest(turns int, o *Options) *person {
	f := newFate(o.Seed, o.TimeScale, DemoConference, "guest", strconv.Itoa(s.number), strconv.Itoa(turns))
	start := s.began.Add(time.Duration(turns) * s.length)
	p := &person{Person: Person{ID: f.id(), CreatedAt: start, Role: s.role(), Status: pending}}
	p.Name = demoNames[(s.number+turns*demoSeats+int(o.Seed%demoSeats))%len(demoNames)]
	p.PhoneNumber = s.fictionalNumber(turns)
	p.script = s.visit(f, start, o.LingerDisconnected)
	return p
}

// fictionalNumber is one of the hundred numbers that are reserved for fiction, seven for
// each seat, so that no two people of the demo have the same.
func (s *seat) fictionalNumber(turns int) string {
	return fmt.Sprintf("+120255501%02d", s.number*7+turns%7)
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

// visit is what a guest does in one turn of the seat.
func (s *seat) visit(f fate, start time.Time, linger time.Duration) []step {
	steps, answered := f.ring(start)
	if !s.regular && f.Float64() < 0.15 {
		return append(steps, step{answered, reject})
	}
	return append(steps, f.talk(answered, start.Add(s.stay(f, linger)), 6, 18)...)
}

// stay is how long after the turn's start the guest hangs up: a regular so that
// there is just time to linger before the next one comes, another earlier.
func (s *seat) stay(f fate, linger time.Duration) time.Duration {
	if s.regular {
		return s.length - min(linger, s.length/4)
	}
	return time.Duration((0.6 + 0.25*f.Float64()) * float64(s.length))
}

// demoNames are three for each seat, which a seat takes in turn.
var demoNames = [3 * demoSeats]string{
	"Amara Okafor", "Liam Murphy", "Sofia Rossi", "Hiroshi Tanaka", "Priya Raman", "Mateo García", "Fatima Zahra",
	"Noah Williams", "Chloé Dubois", "Kwame Mensah", "Ingrid Larsen", "Omar Haddad", "Mei-Ling Chen", "Jonas Weber",
	"Zanele Dlamini", "Oliver Smith", "Yara Khalil", "Arjun Patel", "Katarzyna Nowak", "Diego Fernández", "Leila Hosseini",
	"Ethan Brooks", "Anaïs Laurent", "Tunde Adeyemi", "Freya Nilsson", "Yusuf Demir", "Linh Nguyễn", "Lukas Novák",
	"Thandiwe Moyo", "Grace O’Connor", "Giulia Conti", "Kenji Sato", "Ananya Iyer", "Camila Rojas", "Nadia Petrova",
	"Samuel Johnson", "Élodie Martin", "Abena Owusu", "Mikko Virtanen", "Hassan Ali", "Soo-jin Park", "Eleni Papadaki",
}
