package simulator

import (
	"slices"
	"time"
)

// Participant is a participant as the simulator knows it.
type Participant struct {
	ID          string    `json:"id"`
	Conference  string    `json:"conference_id"`
	PhoneNumber string    `json:"phone_number"`
	Name        string    `json:"name,omitempty"`
	Role        string    `json:"role"`
	Status      string    `json:"status"`
	Muted       bool      `json:"muted"`
	Duration    int       `json:"duration"`
	JoinedAt    time.Time `json:"joined_at,omitzero"`
	CreatedAt   time.Time `json:"created_at"`
}

// The API's names of statuses and roles.
const (
	pending      = "pending"
	dialing      = "dialing"
	connected    = "connected"
	held         = "held"
	disconnected = "disconnected"
	rejected     = "rejected"

	presenter = "presenter"
	listener  = "listener"
	operator  = "operator"
)

// participant is one call. Its facts are as of the last advance.
type participant struct {
	Participant

	// sequence numbers the participants of a conference; pages are keyed by it.
	sequence int
	endedAt  time.Time
	timeline []scheduledEvent

	// hiddenUntil keeps a new participant out of lists that lag.
	hiddenUntil time.Time
	// stale is what lists that lag contain until staleUntil, after a remove or a control.
	stale      *participant
	staleUntil time.Time
	removed    bool
}

// advance applies the events of the timeline up to now.
func (p *participant) advance(now time.Time) {
	for len(p.timeline) > 0 && !p.timeline[0].at.After(now) {
		next := p.timeline[0]
		p.timeline = p.timeline[1:]
		p.apply(next.event, next.at)
	}
}

// apply applies an event, and reports whether the current status allowed it.
func (p *participant) apply(e event, at time.Time) bool {
	if !e.possible(p.Status) {
		return false
	}
	switch e {
	case dial:
		p.setStatus(dialing, at)
	case answerCall, resume:
		p.setStatus(connected, at)
	case reject:
		p.setStatus(rejected, at)
	case hold:
		p.setStatus(held, at)
	case hangUp:
		p.setStatus(disconnected, at)
	case mute, unmute:
		p.Muted = e == mute
	}
	return true
}

// setStatus sets the status and the times that follow from it.
func (p *participant) setStatus(status string, at time.Time) {
	p.Status, p.endedAt = status, time.Time{}
	switch {
	case isActive(status) && p.JoinedAt.IsZero():
		p.JoinedAt = at
	case isOver(status):
		p.endedAt = at
	case status == pending || status == dialing:
		p.JoinedAt = time.Time{}
	}
}

// cancel removes events from the timeline, so that it does not undo what a request did.
func (p *participant) cancel(events ...event) {
	p.timeline = slices.DeleteFunc(p.timeline, func(s scheduledEvent) bool {
		return slices.Contains(events, s.event)
	})
}

// keepStale makes lists that lag contain the participant as they are now.
func (p *participant) keepStale(now time.Time, lag time.Duration) {
	before := *p
	if !now.Before(before.staleUntil) {
		before.stale = nil
	}
	p.stale, p.staleUntil = &before, now.Add(lag)
}

// control applies the event of a control on request, and cancels events of the timeline. It
// reports whether the current status allowed it.
func (p *participant) control(now time.Time, lag time.Duration, e event, cancels ...event) bool {
	if !e.possible(p.Status) {
		return false
	}
	p.keepStale(now, lag)
	p.cancel(cancels...)
	return p.apply(e, now)
}

// remove ends the call on request.
func (p *participant) remove(now time.Time, lag time.Duration) {
	p.keepStale(now, lag)
	p.removed, p.timeline = true, nil
	if !p.apply(hangUp, now) {
		p.endedAt = time.Time{} // The call was over already: it does not linger again.
	}
}

// present reports whether the conference still contains the participant.
func (p *participant) present(now time.Time, linger time.Duration) bool {
	return !isOver(p.Status) || now.Before(p.endedAt.Add(linger))
}

// listEntry returns the participant as a list that lags contains it, nil for not at all.
func (p *participant) listEntry(now time.Time, linger time.Duration) *participant {
	switch {
	case now.Before(p.hiddenUntil):
		return nil
	case now.Before(p.staleUntil):
		return p.stale.listEntry(now, linger)
	case p.present(now, linger):
		return p
	default:
		return nil
	}
}

// at returns the facts with the duration as of now.
func (p *participant) at(now time.Time) Participant {
	facts := p.Participant
	if end := p.endedAt; !facts.JoinedAt.IsZero() {
		if end.IsZero() {
			end = now
		}
		facts.Duration = int(end.Sub(facts.JoinedAt) / time.Second)
	}
	return facts
}

func isActive(status string) bool { return status == connected || status == held }

func isOver(status string) bool { return status == disconnected || status == rejected }
