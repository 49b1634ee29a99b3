package simulator

import (
	"slices"
	"time"
)

// Dial is a phone that rang because of an add.
type Dial struct {
	PhoneNumber string    `json:"phone_number"`
	Conference  string    `json:"conference_id"`
	Participant string    `json:"participant_id"`
	PINBySMS    bool      `json:"pin_by_sms"`
	Time        time.Time `json:"time"`
}

// Truth is whom the vendor would list right now if its lists never lagged, in the
// order of their arrival.
func (s *Simulator) Truth(conferenceID string) []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	c := s.standing(conferenceID, now)
	if c == nil {
		return nil
	}
	return c.truth(now, &s.options)
}

// Dials are all phones that rang because of an add, in order, whether its answer
// arrived or not. The demo's people and those of AddPerson are not among them.
func (s *Simulator) Dials() []Dial {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.world.dials)
}

// History is the last requests to the vendor's paths, oldest first, 1,000 at most.
func (s *Simulator) History() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.history.all()
}

// AddPerson lets somebody in who did not come through the API, and opens the
// conference where it was unknown or deleted. Without an ID one is drawn, and one that is taken
// is taken over. Without a Status the person behaves as the options say; with one,
// any word, the person stays so. JoinedAt and CreatedAt follow where they are zero.
func (s *Simulator) AddPerson(conferenceID string, who Person) Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	c := s.opened(conferenceID, now)
	c.drop(who.ID)
	p := newcomer(who, now)
	c.join(p, &s.options)
	return p.at(now)
}

func newcomer(who Person, now time.Time) *person {
	p := &person{Person: who}
	if p.Role == "" {
		p.Role = listener
	}
	if p.CreatedAt.IsZero() {
		p.CreatedAt = now
	}
	if p.Status != "" {
		p.tell(p.Status, now)
	}
	return p
}

// SetStatus puts the person into a status, any word, where they then stay. It says
// whether there is such a person.
func (s *Simulator) SetStatus(conferenceID, participantID, status string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	p := s.person(conferenceID, participantID, now)
	if p == nil {
		return false
	}
	p.script = nil
	p.tell(status, now)
	return true
}

// RemovePerson lets the person vanish at once, without a disconnected before. It
// says whether there was such a person.
func (s *Simulator) RemovePerson(conferenceID, participantID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.standing(conferenceID, time.Now())
	return c != nil && c.drop(participantID)
}

// DeleteConference ends a conference: the vendor answers 404 from now on. It says
// whether there was one.
func (s *Simulator) DeleteConference(conferenceID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	existed := s.standing(conferenceID, time.Now()) != nil
	s.world.create(conferenceID).gone = true
	return existed
}

// ExpireTokens makes every token worthless that was exchanged for a key.
func (s *Simulator) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.world.tokens)
}

func (s *Simulator) person(conferenceID, participantID string, now time.Time) *person {
	if c := s.standing(conferenceID, now); c != nil {
		return c.find(participantID)
	}
	return nil
}
