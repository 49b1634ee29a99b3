package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

// wireAdd is the body of an add. Pointers tell what is missing.
type wireAdd struct {
	PhoneNumber   *string `json:"phone_number"`
	Name          string  `json:"name"`
	Role          string  `json:"role"`
	Muted         bool    `json:"muted"`
	SendPINViaSMS bool    `json:"send_pin_via_sms"`
}

const (
	maxPhoneNumber = 20
	maxName        = 100
)

// add dials a phone.
func (s *Simulator) add(c *call, now time.Time) answer {
	if !c.account.mayAdd(now, &s.options) {
		return refuse(http.StatusTooManyRequests, "add requests per second exceeded").retryAfter(1)
	}
	asked, fault := parseAdd(c.body)
	if fault != "" {
		return refuse(http.StatusBadRequest, fault)
	}
	room := s.addTo(c.conferenceID(), now)
	if room == nil {
		return noConference()
	}
	if room.calls() >= s.options.MaxParticipants {
		return full(s.options.MaxParticipants)
	}
	p := s.dialled(room, asked, now)
	return succeed(wireAdded{item(p.at(now)), stamp(p.CreatedAt)})
}

// parseAdd reads the body; fault says what the vendor finds wrong with it.
func parseAdd(body []byte) (asked wireAdd, fault string) {
	if err := json.Unmarshal(unwrap(body), &asked); err != nil {
		return asked, malformed(err)
	}
	switch {
	case asked.PhoneNumber == nil || *asked.PhoneNumber == "":
		return asked, "field required: phone_number"
	case utf8.RuneCountInString(*asked.PhoneNumber) > maxPhoneNumber:
		return asked, "field too long: phone_number"
	case utf8.RuneCountInString(asked.Name) > maxName:
		return asked, "field too long: name"
	case !slices.Contains([]string{"", presenter, listener, operator}, asked.Role):
		return asked, "invalid value: role"
	}
	return asked, ""
}

func malformed(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return "invalid type: " + wrong.Field
	}
	return "invalid json"
}

// dialled takes in whom an accepted add calls.
func (s *Simulator) dialled(room *conference, asked wireAdd, now time.Time) *person {
	p := newcomer(Person{
		PhoneNumber: *asked.PhoneNumber, Name: asked.Name, Role: asked.Role, Muted: asked.Muted,
	}, now)
	p.hiddenUntil = now.Add(s.options.ListLag)
	room.join(p, &s.options)
	s.world.dials = append(s.world.dials, Dial{
		PhoneNumber: p.PhoneNumber, Conference: room.id, Participant: p.ID,
		PINBySMS: asked.SendPINViaSMS, Time: now,
	})
	return p
}

// remove hangs up on a participant.
func (s *Simulator) remove(c *call, now time.Time) answer {
	room := s.conference(c.conferenceID(), now)
	if room == nil {
		return noConference()
	}
	p := room.find(c.participantID())
	switch {
	case p != nil && !p.removed:
		p.remove(now, s.options.ListLag)
	case !s.options.RemoveTwice:
		return noParticipant()
	}
	return answer{status: http.StatusNoContent}
}

func noConference() answer { return refuse(http.StatusNotFound, "conference not found") }

func noParticipant() answer { return refuse(http.StatusNotFound, "participant not found") }

func full(most int) answer {
	a := refuse(http.StatusConflict, fmt.Sprintf("conference is full: max_participants is %d", most))
	a.code = "conference_full"
	return a
}
