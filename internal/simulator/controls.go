package simulator

import (
	"net/http"
	"time"
)

// controls are the vendor's conference controls: what each does, and which events of
// the person's script it puts an end to.
var controls = map[string]struct {
	event   event
	forgets []event
}{
	"mute":       {mute, []event{mute, unmute}},
	"unmute":     {unmute, []event{mute, unmute}},
	"hold":       {hold, []event{hold, resume}},
	"resume":     {resume, []event{hold, resume}},
	"disconnect": {hangUp, []event{answerCall, reject, hold, resume}},
}

// wireMuted is the answer of mute-all.
type wireMuted struct {
	Muted int `json:"muted"`
}

// control lets a conference control loose on one participant.
func (s *Simulator) control(c *call, now time.Time) answer {
	does, known := controls[c.request.PathValue("control")]
	if !known {
		return refuse(http.StatusNotFound, "no such control")
	}
	room := s.conference(c.conferenceID(), now)
	if room == nil {
		return noConference()
	}
	p := room.find(c.participantID())
	if p == nil || !p.listed(now, s.options.LingerDisconnected) {
		return noParticipant()
	}
	if !p.apply(does.event, now) {
		return refuse(http.StatusConflict, "not possible while "+p.Status)
	}
	p.forget(does.forgets...)
	return succeed(item(p.at(now)))
}

// muteAll mutes everybody who can be muted.
func (s *Simulator) muteAll(c *call, now time.Time) answer {
	room := s.conference(c.conferenceID(), now)
	if room == nil {
		return noConference()
	}
	var muted int
	for _, p := range room.people {
		if p.apply(mute, now) {
			p.forget(mute, unmute)
			muted++
		}
	}
	return succeed(wireMuted{muted})
}
