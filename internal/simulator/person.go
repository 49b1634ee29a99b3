package simulator

import "time"

// Person is a participant as the simulator knows it, beyond what one answer shows.
type Person struct {
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

// The vendor's words for where a call stands, and for who may do what.
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

// person is one call. Its facts are as of the last advance.
type person struct {
	Person

	// arrival numbers the conference's people, and is their key in pages.
	arrival int
	left    time.Time
	script  []step

	// hiddenUntil keeps a new person out of lists that lag.
	hiddenUntil time.Time
	// ghost is what lists that lag show until ghostUntil in place of one removed.
	ghost      *person
	ghostUntil time.Time
	removed    bool
}

// advance lets happen what the script has up to now.
func (p *person) advance(now time.Time) {
	for len(p.script) > 0 && !p.script[0].at.After(now) {
		next := p.script[0]
		p.script = p.script[1:]
		p.apply(next.event, next.at)
	}
}

// apply lets one thing happen, and says whether it could: nobody is held who is not
// there.
func (p *person) apply(e event, at time.Time) bool {
	possible := e.possible(p.Status)
	if possible {
		p.happen(e, at)
	}
	return possible
}

func (p *person) happen(e event, at time.Time) {
	switch e {
	case dial:
		p.tell(dialing, at)
	case answerCall, resume:
		p.tell(connected, at)
	case reject:
		p.tell(rejected, at)
	case hold:
		p.tell(held, at)
	case hangUp:
		p.tell(disconnected, at)
	case mute, unmute:
		p.Muted = e == mute
	}
}

// tell sets the status and the times that follow from it.
func (p *person) tell(status string, at time.Time) {
	p.Status, p.left = status, time.Time{}
	switch {
	case isActive(status) && p.JoinedAt.IsZero():
		p.JoinedAt = at
	case isOver(status):
		p.left = at
	case status == pending || status == dialing:
		p.JoinedAt = time.Time{}
	}
}

// forget strikes what the script has in store of some kinds, so that it does not
// undo what somebody did to the person.
func (p *person) forget(events ...event) {
	var kept []step
	for _, s := range p.script {
		if !s.event.among(events) {
			kept = append(kept, s)
		}
	}
	p.script = kept
}

// remove ends the call by somebody's wish.
func (p *person) remove(now time.Time, lag time.Duration) {
	before := *p
	p.ghost, p.ghostUntil = &before, now.Add(lag)
	p.removed, p.script = true, nil
	if !p.apply(hangUp, now) {
		p.left = time.Time{} // Was over already: there is nothing left to linger for.
	}
}

// listed says whether the vendor still has the person.
func (p *person) listed(now time.Time, linger time.Duration) bool {
	return !isOver(p.Status) || now.Before(p.left.Add(linger))
}

// shown is the person as a list that lags has it; nil where it has none.
func (p *person) shown(now time.Time, linger time.Duration) *person {
	switch {
	case now.Before(p.hiddenUntil):
		return nil
	case now.Before(p.ghostUntil):
		return p.ghost.shown(now, linger)
	case p.listed(now, linger):
		return p
	default:
		return nil
	}
}

// at is the person for those who ask now.
func (p *person) at(now time.Time) Person {
	told := p.Person
	if end := p.left; !told.JoinedAt.IsZero() {
		if end.IsZero() {
			end = now
		}
		told.Duration = int(end.Sub(told.JoinedAt) / time.Second)
	}
	return told
}

func isActive(status string) bool { return status == connected || status == held }

func isOver(status string) bool { return status == disconnected || status == rejected }
