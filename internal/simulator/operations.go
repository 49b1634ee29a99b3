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

// wireAdd is the body of an add. A nil pointer is a missing field.
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

// add dials a phone number.
func (s *Simulator) add(c *call, now time.Time) result {
	if !c.account.allowAdd(now, &s.options) {
		return failure(http.StatusTooManyRequests, "add requests per second exceeded").retryAfter(1)
	}
	req, invalid := parseAdd(c.body)
	if invalid != "" {
		return failure(http.StatusBadRequest, invalid)
	}
	conf := s.lookupForAdd(c.conferenceID(), now)
	if conf == nil {
		return noConference()
	}
	if conf.activeCalls() >= s.options.MaxParticipants {
		return conferenceFull(s.options.MaxParticipants)
	}
	p := s.dial(conf, req, now)
	return success(wireAdded{item(p.at(now)), timestamp(p.CreatedAt)})
}

// parseAdd decodes and validates the body; invalid is the API's message if it is invalid.
func parseAdd(body []byte) (req wireAdd, invalid string) {
	if err := json.Unmarshal(unwrap(body), &req); err != nil {
		return req, decodeMessage(err)
	}
	switch {
	case req.PhoneNumber == nil || *req.PhoneNumber == "":
		return req, "field required: phone_number"
	case utf8.RuneCountInString(*req.PhoneNumber) > maxPhoneNumber:
		return req, "field too long: phone_number"
	case utf8.RuneCountInString(req.Name) > maxName:
		return req, "field too long: name"
	case !slices.Contains([]string{"", presenter, listener, operator}, req.Role):
		return req, "invalid value: role"
	}
	return req, ""
}

func decodeMessage(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return "invalid type: " + wrong.Field
	}
	return "invalid json"
}

// dial adds the participant of an accepted add, and records the phone call.
func (s *Simulator) dial(conf *conference, req wireAdd, now time.Time) *participant {
	p := newParticipant(Participant{
		PhoneNumber: *req.PhoneNumber, Name: req.Name, Role: req.Role, Muted: req.Muted,
	}, now)
	p.hiddenUntil = now.Add(s.options.ListLag)
	conf.join(p, &s.options)
	s.state.dials = append(s.state.dials, Dial{
		PhoneNumber: p.PhoneNumber, Conference: conf.id, Participant: p.ID,
		PINBySMS: req.SendPINViaSMS, Time: now,
	})
	return p
}

// remove disconnects a participant.
func (s *Simulator) remove(c *call, now time.Time) result {
	conf := s.lookup(c.conferenceID(), now)
	if conf == nil {
		return noConference()
	}
	p := conf.find(c.participantID())
	switch {
	case p != nil && !p.removed && p.present(now, s.options.LingerDisconnected):
		p.remove(now, s.options.ListLag)
	case !s.options.RemoveTwice:
		return noParticipant()
	}
	return result{status: http.StatusNoContent}
}

func noConference() result { return failure(http.StatusNotFound, "conference not found") }

func noParticipant() result { return failure(http.StatusNotFound, "participant not found") }

func conferenceFull(limit int) result {
	r := failure(http.StatusConflict, fmt.Sprintf("conference is full: max_participants is %d", limit))
	r.code = "conference_full"
	return r
}
