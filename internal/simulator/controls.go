package simulator

import (
	"net/http"
	"time"
)

// controls are the conference controls of the API: the event that each causes, and the
// events of the participant's timeline that it cancels.
var controls = map[string]struct {
	event   event
	cancels []event
}{
	"mute":       {mute, []event{mute, unmute}},
	"unmute":     {unmute, []event{mute, unmute}},
	"hold":       {hold, []event{hold, resume}},
	"resume":     {resume, []event{hold, resume}},
	"disconnect": {hangUp, []event{answerCall, reject, hold, resume}},
}

// wireMuted is the response to mute-all.
type wireMuted struct {
	Muted int `json:"muted"`
}

// control applies a conference control to one participant.
func (s *Simulator) control(c *call, now time.Time) result {
	control, known := controls[c.request.PathValue("control")]
	if !known {
		return failure(http.StatusNotFound, "no such control")
	}
	conf := s.lookup(c.conferenceID(), now)
	if conf == nil {
		return noConference()
	}
	p := conf.find(c.participantID())
	if p == nil || !p.present(now, s.options.LingerDisconnected) {
		return noParticipant()
	}
	if !s.applyControl(p, now, control.event, control.cancels) {
		return failure(http.StatusConflict, "not possible while "+p.Status)
	}
	return success(item(p.at(now)))
}

// muteAll mutes all participants whose calls are not over.
func (s *Simulator) muteAll(c *call, now time.Time) result {
	conf := s.lookup(c.conferenceID(), now)
	if conf == nil {
		return noConference()
	}
	var muted int
	for _, p := range conf.participants {
		if s.applyControl(p, now, mute, controls["mute"].cancels) {
			muted++
		}
	}
	return success(wireMuted{muted})
}

// applyControl applies a control to a participant, and records it. It reports whether the
// status allowed it.
func (s *Simulator) applyControl(p *participant, now time.Time, e event, cancels []event) bool {
	before := p.at(now)
	if !p.control(now, s.options.ListLag, e, cancels...) {
		return false
	}
	s.state.controls = append(s.state.controls, ControlChange{Time: now, Before: before, After: p.at(now)})
	return true
}
