package roster

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Control is one control that the upstream answered with success, with the times at which it
// was sent and completed.
type Control struct {
	participant.Controlled

	Sent, Done     LogicalTime
	SentAt, DoneAt time.Time
}

// controlledFields are the fields that controls change.
var controlledFields = [...]participant.Fields{participant.FieldMuted, participant.FieldStatus}

// ControlledField is what a member keeps about one field that controls change (A8).
type ControlledField struct {
	// ChangedByList is when the last list began that changed the field.
	ChangedByList LogicalTime `json:"l"`
	// ControlSent is when the control was sent that was published last.
	ControlSent LogicalTime `json:"s"`
	// Pending is that control, as long as lists may not show it yet; nil if there is none. A
	// change replaces it: batches share it.
	Pending *PendingControl `json:"p"`
}

// PendingControl is the latest control of one field, while it affects how lists are applied.
type PendingControl struct {
	Control participant.Control `json:"c"`
	Sent    LogicalTime         `json:"s"`
	Done    LogicalTime         `json:"d"`
	SentAt  time.Time           `json:"sa"`
	DoneAt  time.Time           `json:"da"`
	// Reverts reports that the control replaced one with another value that no list had
	// shown yet. A list with the new value may then be older than both controls, so only
	// the end of the window ends this one.
	Reverts bool `json:"r"`
	// Deferred reports that a list was ignored for the field.
	Deferred bool `json:"e"`
}

// PlanControl plans a control that the upstream answered with success. A control that is not
// published changes nothing: lists decide.
func (r *Roster) PlanControl(c Control) Batch {
	b := r.newPlan(c.DoneAt)
	if member := b.member(c.Item.ID); member.accepts(c) {
		b.publishControl(c, &member)
		b.put(&member)
	}
	return b.build()
}

// accepts reports whether the result of a control is published. A list that changed the field
// overtakes it, and so does a later control of the field, and a removal.
func (m *Member) accepts(c Control) bool {
	field := m.controlled(c.Control.Field())
	newest := max(field.ChangedByList, field.ControlSent, m.RemovedByList, m.RemoveCompleted)
	return m.Present && newest <= c.Sent && m.allows(c.Control) && !c.contradicted()
}

// allows reports whether a control can have an effect that watchers see. The phone call of a
// participant who is neither connected nor held cannot be held, resumed or disconnected.
func (m *Member) allows(c participant.Control) bool {
	return c.Field() == participant.FieldMuted || m.Participant.Status.Active()
}

// contradicted reports whether the upstream's answer shows another value than the control gives.
func (c Control) contradicted() bool {
	return c.Item.Fields.Has(c.Control.Field()) && !shows(c.Item, c.Control)
}

// shows reports whether an item that contains the field has the value that a control gives.
func shows(item participant.Item, c participant.Control) bool {
	return participant.Changed(item.Participant, c.ApplyTo(item.Participant)) == 0
}

// publishControl takes the value that the control's name gives into the roster.
func (b *plan) publishControl(c Control, member *Member) {
	member.controlled(c.Control.Field()).setPending(c)
	before, after := member.Participant, c.Control.ApplyTo(member.Participant)
	if participant.Changed(before, after) == 0 {
		return
	}
	b.set(member, after, true, c.DoneAt)
	b.addChange(Change{Before: &before, After: &after, ByWrite: true}, c.SentAt)
}

// setPending makes a control the one that affects how later lists are applied.
func (f *ControlledField) setPending(c Control) {
	replaced := f.Pending
	f.ControlSent = c.Sent
	f.Pending = &PendingControl{
		Control: c.Control, Sent: c.Sent, Done: c.Done, SentAt: c.SentAt, DoneAt: c.DoneAt,
		Reverts: replaced != nil && (replaced.Reverts || replaced.Control != c.Control),
	}
}

// controlled returns what the member keeps about a field that controls change.
func (m *Member) controlled(field participant.Fields) *ControlledField {
	if field == participant.FieldMuted {
		return &m.MutedControl
	}
	return &m.StatusControl
}

// endControls drops the pending controls of a participant whom a Remove removes. A list without
// the participant drops none: the next list may contain them again, and still lag behind.
func (m *Member) endControls() {
	m.MutedControl.Pending, m.StatusControl.Pending = nil, nil
}

// withoutControlled returns an item of a list without the fields for which the list says
// nothing because of a pending control. deferredSince is when the control was sent that has held
// back a change until this list; zero if there is none.
func (m *Member) withoutControlled(p Poll, item participant.Item) (rest participant.Item, deferredSince time.Time) {
	for _, field := range controlledFields {
		controlled := m.controlled(field)
		c := controlled.Pending
		switch {
		case c == nil || !item.Fields.Has(field):
		case c.endedBy(p, item):
			if c.Deferred && !shows(item, c.Control) && !c.showsCallEnded(item) {
				deferredSince = earlier(deferredSince, c.SentAt)
			}
			controlled.Pending = nil
		case !shows(item, c.Control):
			item.Fields &^= field
			controlled.Pending = c.deferred()
		}
	}
	return item, deferredSince
}

// endedBy reports whether an item that contains the field ends the control's effect: it shows
// the end of the call, or the new value, or it comes after the window.
func (c *PendingControl) endedBy(p Poll, item participant.Item) bool {
	confirmed := p.Began > c.Sent && !c.Reverts && shows(item, c.Control)
	return confirmed || c.showsCallEnded(item) || p.List.Began.Sub(c.DoneAt) >= LagWindow
}

// deferred returns the control after a list was ignored for the field.
func (c *PendingControl) deferred() *PendingControl {
	if c.Deferred {
		return c
	}
	after := *c
	after.Deferred = true
	return &after
}

// showsCallEnded reports whether the control is one of the status, and the item shows that the
// call has ended. That is never ignored.
func (c *PendingControl) showsCallEnded(item participant.Item) bool {
	return c.Control.Field() == participant.FieldStatus && item.Status.Ended()
}

// recordChanged records the controlled fields that a list has changed.
func (m *Member) recordChanged(p Poll, changed participant.Fields) {
	for _, field := range controlledFields {
		if changed.Has(field) {
			m.controlled(field).ChangedByList = p.Began
		}
	}
}

// addedItem returns the item of an Add's response without the fields of pending controls that
// completed after the Add was sent. An Add that was sent later ends them.
func (m *Member) addedItem(w Write) participant.Item {
	item := w.Item
	for _, field := range controlledFields {
		controlled := m.controlled(field)
		switch c := controlled.Pending; {
		case c == nil || !item.Fields.Has(field):
		case w.Sent > c.Done || c.showsCallEnded(item):
			controlled.Pending = nil
		default:
			item.Fields &^= field
		}
	}
	return item
}

// earlier returns the earlier of two times; a zero time counts as none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
