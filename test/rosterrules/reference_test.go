package rosterrules_test

import (
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// reference implements W5, W6, W7 and A8 for one participant, in the simplest way: it keeps all
// lists, writes and controls, and searches them. It shares no code with the engine.
type reference struct {
	listed bool
	status participant.Status
	muted  bool
	// seen is what each list so far meant for the participant, oldest first.
	seen     []observation
	writes   []written
	controls []refControl
}

// observation is what one list meant for the participant.
type observation struct {
	list   refList
	shows  bool
	status participant.Status
	// fields are the controlled fields that the list shows, and changed those that it
	// changed.
	fields  fields
	changed []string
	// applied is true if the list counts for the participant, and evidence if W7 does not
	// delay its effect.
	applied, evidence bool
	// counted is true for a placeholder that may be the first of two.
	counted bool
	// ignoredFor is the write whose window (W6) made the list be ignored.
	ignoredFor *written
	// joined and removed are true if this list added or removed the participant.
	joined, removed bool
	// forgot is true for the second consecutive list that ends the effect of a Remove.
	forgot bool
}

// refList contains the parts of a list that the rules use. One counter gives the order.
type refList struct {
	began       int
	ended       int
	beganAt     time.Time
	complete    bool
	placeholder bool
	// first is true if no list was applied before.
	first bool
	pages int
}

// written is a write that completed.
type written struct {
	kind           participant.WriteKind
	sent, done     int
	sentAt, doneAt time.Time
	status         participant.Status
	// muted is empty if the answer does not contain it.
	muted string
	// published is true if the write was applied, and window if it opened W6's window.
	published, window bool
}

// outcome is what a list or a write does to the participant.
type outcome struct {
	joined, left, changed bool
	notBefore             time.Time
}

// write applies a write that completed (W5).
func (r *reference) write(w written) outcome {
	w.published, w.window = r.publishes(w)
	wasListed := r.listed
	defer func() { r.writes = append(r.writes, w) }()
	if !w.published {
		return outcome{}
	}
	if w.kind == participant.WriteRemove {
		r.listed = false
		return outcome{left: wasListed, notBefore: w.sentAt}
	}
	changed := r.applyAddFields(w)
	r.listed = true
	return outcome{joined: !wasListed, changed: wasListed && changed, notBefore: w.sentAt}
}

func (r *reference) publishes(w written) (published, window bool) {
	overtaken, removed := false, false
	for _, s := range r.seen {
		overtaken = overtaken || s.shows && s.applied && s.list.ended > w.sent
		removed = removed || s.removed && s.list.began > w.sent
	}
	if w.kind == participant.WriteRemove {
		return !removed, !removed
	}
	for _, other := range r.writes {
		if other.kind == participant.WriteRemove && other.done > w.sent {
			return false, false
		}
	}
	return !overtaken, true
}

// latestWindow returns the latest write that opened a window, nil if a later one closed it.
func (r *reference) latestWindow() *written {
	for i := len(r.writes) - 1; i >= 0; i-- {
		w := &r.writes[i]
		switch {
		case w.window:
			return w
		case w.kind == participant.WriteRemove:
			return nil
		}
	}
	return nil
}

func (r *reference) predatesWrite(l refList) bool {
	for _, w := range r.writes {
		if l.began < w.done {
			return true
		}
	}
	return false
}

// within reports whether a list began in the window of a write (W6).
func (w *written) within(l refList) bool { return l.beganAt.Before(w.doneAt.Add(5 * time.Second)) }

// isOver reports whether a call with the status has ended (W6).
func isOver(status participant.Status) bool { return status == "disconnected" || status == "rejected" }

// applyPresent applies a list that contains the participant.
func (r *reference) applyPresent(l refList, shown fields) outcome {
	status := participant.Status(shown[fieldStatus])
	s := observation{list: l, shows: true, status: status, fields: shown}
	defer func() { r.seen = append(r.seen, s) }()
	if r.predatesWrite(l) {
		return outcome{}
	}
	removal := r.removal()
	switch {
	case removal != nil && isOver(status):
		s.applied, s.evidence = true, true
		r.setAll(shown)
		return outcome{}
	case removal != nil && removal.within(l):
		s.ignoredFor = removal
		return outcome{}
	}
	s.applied, s.evidence, s.joined = true, true, !r.listed
	if !s.joined {
		var notBefore time.Time
		s.changed, notBefore = r.applyFields(l, shown)
		return outcome{changed: len(s.changed) > 0, notBefore: notBefore}
	}
	did := outcome{joined: true, notBefore: r.changeNotBefore()}
	r.joinWith(l, shown)
	return did
}

// setAll sets all fields that a list shows.
func (r *reference) setAll(shown fields) {
	for field, value := range shown {
		r.set(field, value)
	}
}

// removal returns the Remove that keeps the participant out of the roster, or nil.
func (r *reference) removal() *written {
	g := r.latestWindow()
	if r.listed || g == nil || g.kind != participant.WriteRemove {
		return nil
	}
	row := 0
	for _, s := range r.seen {
		switch {
		case s.list.began < g.done:
		case s.joined, s.forgot:
			return nil
		case r.predatesWrite(s.list):
		case s.shows && s.applied:
			row = 0
		case !s.shows && s.applied && !g.within(s.list):
			row++
			if row == 2 {
				return nil
			}
		}
	}
	return g
}

// applyAbsent applies a complete list that does not contain the participant.
func (r *reference) applyAbsent(l refList) outcome {
	s := observation{list: l}
	removal := r.removal()
	defer func() {
		r.seen = append(r.seen, s)
		r.seen[len(r.seen)-1].forgot = removal != nil && r.removal() == nil
	}()
	if r.predatesWrite(l) {
		return outcome{}
	}
	if s.ignoredFor = r.lagAfterAdd(l); s.ignoredFor != nil {
		return outcome{}
	}
	s.counted = true
	if l.placeholder && !r.secondPlaceholder(l) {
		s.evidence = l.first && len(r.writes) == 0
		return outcome{}
	}
	s.applied = true
	delayed := l.pages > 1 && !r.missedBefore()
	s.evidence = !r.listed || !delayed
	if !s.evidence || !r.listed {
		return outcome{}
	}
	s.removed, r.listed = true, false
	return outcome{left: true, notBefore: r.changeNotBefore()}
}

// lagAfterAdd returns the Add because of which an absence is ignored, or nil.
func (r *reference) lagAfterAdd(l refList) *written {
	g := r.latestWindow()
	if !r.listed || g == nil || g.kind != participant.WriteAdd || !g.within(l) {
		return nil
	}
	for _, s := range r.seen {
		if s.shows && s.applied && s.list.began > g.done && isOver(s.status) {
			return nil
		}
	}
	return g
}

// sinceListed returns the lists after the last list with the participant, or the last write.
func (r *reference) sinceListed() []observation {
	for i, s := range slices.Backward(r.seen) {
		if s.shows && s.applied || r.predatesWrite(s.list) {
			return r.seen[i+1:]
		}
	}
	return r.seen
}

// secondPlaceholder reports whether another placeholder began at least two seconds before,
// with only placeholders and ignored lists between them.
func (r *reference) secondPlaceholder(l refList) bool {
	for _, other := range slices.Backward(r.sinceListed()) {
		switch {
		case other.list.placeholder && other.counted && !l.beganAt.Before(other.list.beganAt.Add(2*time.Second)):
			return true
		case !other.list.placeholder && other.applied:
			return false
		}
	}
	return false
}

// missedBefore reports whether the participant was missing from a complete list since
// it was last shown.
func (r *reference) missedBefore() bool {
	for _, s := range r.sinceListed() {
		if !s.shows && s.applied && !s.removed {
			return true
		}
	}
	return false
}

// lastEvidence returns the start of the last list that was applied to the participant, or the
// time when the first write was sent if there is none.
func (r *reference) lastEvidence() time.Time {
	for _, s := range slices.Backward(r.seen) {
		if s.evidence {
			return s.list.beganAt
		}
	}
	for _, w := range r.writes {
		if w.published {
			return w.sentAt
		}
	}
	return time.Time{}
}

// changeNotBefore returns the not_before of a join or leave that is applied now. If W6 delayed
// it, that is the time when the write was sent.
func (r *reference) changeNotBefore() time.Time {
	last, ignored := 0, (*written)(nil)
	for _, s := range r.seen {
		switch {
		case s.evidence:
			last, ignored = s.list.ended, nil
		case s.ignoredFor != nil && ignored == nil:
			ignored = s.ignoredFor
		}
	}
	for _, w := range slices.Backward(r.writes) {
		if w.published && w.done > last {
			return w.sentAt
		}
	}
	if ignored != nil {
		return ignored.sentAt
	}
	return r.lastEvidence()
}
