package simulator

import (
	"slices"
	"time"
)

// Dial is a phone call that an add started.
type Dial struct {
	PhoneNumber string    `json:"phone_number"`
	Conference  string    `json:"conference_id"`
	Participant string    `json:"participant_id"`
	PINBySMS    bool      `json:"pin_by_sms"`
	Time        time.Time `json:"time"`
}

// ControlChange is a change of a participant that a control made.
type ControlChange struct {
	Time          time.Time
	Before, After Participant
}

// Participants returns the actual participants of a conference in the order in which
// they joined: what a list without lag would contain. It is nil if there is no such
// conference.
func (s *Simulator) Participants(conferenceID string) []Participant {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	c := s.existing(conferenceID, now)
	if c == nil {
		return nil
	}
	return c.actual(now, &s.options)
}

// Dials returns all phone calls that adds started, in order, whether or not the response
// arrived. Participants of the demo and of AddParticipant are not dialled.
func (s *Simulator) Dials() []Dial {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.state.dials)
}

// ControlChanges returns all changes that controls made, in order, whether or not the response
// arrived.
func (s *Simulator) ControlChanges() []ControlChange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.state.controls)
}

// History returns the last 1,000 requests to the API's paths, oldest first.
func (s *Simulator) History() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.history.all()
}

// AddParticipant adds a participant without an API request, and creates the conference
// if it is unknown or deleted. An empty ID is generated; a participant with the same ID is
// replaced. A participant with a Status, which may be any word, keeps it; one without
// behaves as the options say. Zero JoinedAt and CreatedAt are set.
func (s *Simulator) AddParticipant(conferenceID string, p Participant) Participant {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	c := s.getOrCreate(conferenceID, now)
	c.remove(p.ID)
	added := newParticipant(p, now)
	c.join(added, &s.options)
	return added.at(now)
}

func newParticipant(facts Participant, now time.Time) *participant {
	p := &participant{Participant: facts}
	if p.Role == "" {
		p.Role = listener
	}
	if p.CreatedAt.IsZero() {
		p.CreatedAt = now
	}
	if p.Status != "" {
		p.setStatus(p.Status, now)
	}
	return p
}

// SetStatus sets the status of a participant, which may be any word, and cancels the rest
// of its timeline. It reports whether the participant exists.
func (s *Simulator) SetStatus(conferenceID, participantID, status string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	c := s.existing(conferenceID, now)
	if c == nil {
		return false
	}
	p := c.find(participantID)
	if p == nil {
		return false
	}
	p.timeline = nil
	p.setStatus(status, now)
	return true
}

// RemoveParticipant removes a participant at once: it is never listed as disconnected. It
// reports whether the participant existed.
func (s *Simulator) RemoveParticipant(conferenceID, participantID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.existing(conferenceID, time.Now())
	return c != nil && c.remove(participantID)
}

// DeleteConference deletes a conference: requests for it are answered 404 from now on. It
// reports whether the conference existed.
func (s *Simulator) DeleteConference(conferenceID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	existed := s.existing(conferenceID, time.Now()) != nil
	s.state.create(conferenceID).deleted = true
	return existed
}

// ExpireTokens expires every token that was issued for an API key.
func (s *Simulator) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.state.tokens)
}
