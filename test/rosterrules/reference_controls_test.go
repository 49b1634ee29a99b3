package rosterrules_test

import (
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// The fields that controls change.
const (
	fieldMuted  = "muted"
	fieldStatus = "status"
)

// refControl is a control that the upstream answered with success.
type refControl struct {
	field, value   string
	sent, done     int
	sentAt, doneAt time.Time
	// published is true if the control was applied. reverts is true if it then replaced
	// another value that no list had shown.
	published, reverts bool
}

// fields are the values of the controlled fields that an item contains.
type fields map[string]string

// value returns the participant's value of a field.
func (r *reference) value(field string) string {
	if field == fieldStatus {
		return string(r.status)
	}
	return map[bool]string{true: "true", false: "false"}[r.muted]
}

func (r *reference) set(field, value string) {
	if field == fieldStatus {
		r.status = participant.Status(value)
	} else {
		r.muted = value == "true"
	}
}

// control applies a control whose answer contains the fields (A8).
func (r *reference) control(c refControl, answer fields) outcome {
	before, pending := r.value(c.field), r.pendingControl(c.field)
	c.published = r.publishesControl(c, answer)
	c.reverts = c.published && pending != nil && (pending.reverts || pending.value != c.value)
	r.controls = append(r.controls, c)
	if !c.published {
		return outcome{}
	}
	r.set(c.field, c.value)
	return outcome{changed: before != c.value, notBefore: c.sentAt}
}

func (r *reference) publishesControl(c refControl, answer fields) bool {
	shown, shows := answer[c.field]
	inCall := r.status == "connected" || r.status == "held"
	if !r.listed || c.field == fieldStatus && !inCall || shows && shown != c.value {
		return false
	}
	for _, s := range r.seen {
		if s.list.began > c.sent && (s.removed || slices.Contains(s.changed, c.field)) {
			return false
		}
	}
	for _, w := range r.writes {
		if w.kind == participant.WriteRemove && w.done > c.sent {
			return false
		}
	}
	return !slices.ContainsFunc(r.controls, func(other refControl) bool {
		return other.published && other.field == c.field && other.sent > c.sent
	})
}

// pendingControl returns the latest control of a field, nil if nothing depends on it any more:
// a Remove or an Add sent later was applied, or a list ended it.
func (r *reference) pendingControl(field string) *refControl {
	var c *refControl
	for i := range r.controls {
		if r.controls[i].published && r.controls[i].field == field {
			c = &r.controls[i]
		}
	}
	if c == nil {
		return nil
	}
	for _, s := range r.seen {
		if s.list.ended > c.done && s.shows && s.applied && c.endedBy(s) {
			return nil
		}
	}
	for _, w := range r.writes {
		if w.done > c.done && w.published && (w.kind == participant.WriteRemove || c.endedByAdd(w)) {
			return nil
		}
	}
	return c
}

func (c *refControl) endedBy(s observation) bool {
	value, shown := s.fields[c.field]
	confirms := value == c.value && s.list.began > c.sent && !c.reverts
	return shown && (confirms || c.callEnded(value) || !c.within(s.list))
}

func (c *refControl) endedByAdd(w written) bool {
	value, shown := w.fields()[c.field]
	return shown && (w.sent > c.done || c.callEnded(value))
}

// callEnded reports whether the value says that the call has ended, which always counts.
func (c *refControl) callEnded(value string) bool {
	return c.field == fieldStatus && isOver(participant.Status(value))
}

func (c *refControl) within(l refList) bool { return l.beganAt.Before(c.doneAt.Add(5 * time.Second)) }

// heldBack reports whether a list was ignored because of the control.
func (r *reference) heldBack(c *refControl) bool {
	return slices.ContainsFunc(r.seen, func(s observation) bool {
		value, shown := s.fields[c.field]
		return s.applied && s.list.ended > c.done && shown && value != c.value
	})
}

// applyFields applies the fields of a list to a participant who is listed. It returns those
// that changed, and the not_before of the change.
func (r *reference) applyFields(l refList, shown fields) (changed []string, notBefore time.Time) {
	notBefore = r.lastEvidence()
	for _, field := range []string{fieldMuted, fieldStatus} {
		value, contained := shown[field]
		c := r.pendingControl(field)
		switch {
		case !contained || value == r.value(field):
			continue
		case c != nil && !c.callEnded(value) && c.within(l):
			continue
		case c != nil && !c.callEnded(value) && r.heldBack(c) && c.sentAt.Before(notBefore):
			notBefore = c.sentAt
		}
		changed = append(changed, field)
		r.set(field, value)
	}
	return changed, notBefore
}

// joinWith applies the fields of a list to a participant who joins. A pending control keeps its
// value, as for one who is listed.
func (r *reference) joinWith(l refList, shown fields) {
	for field, value := range shown {
		if c := r.pendingControl(field); c == nil || c.callEnded(value) || !c.within(l) {
			r.set(field, value)
		}
	}
	r.listed = true
}

// applyAddFields applies the fields of an Add's answer. It reports whether they changed
// anything.
func (r *reference) applyAddFields(w written) (changed bool) {
	for field, value := range w.fields() {
		c := r.pendingControl(field)
		if c != nil && !c.endedByAdd(w) {
			continue
		}
		changed = changed || r.value(field) != value
		r.set(field, value)
	}
	return changed
}

// fields returns the fields of an Add's answer.
func (w *written) fields() fields {
	shown := fields{fieldStatus: string(w.status)}
	if w.muted != "" {
		shown[fieldMuted] = w.muted
	}
	return shown
}
