package histories_test

import (
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// reference is W5, W6 and W7 as they are written, for one participant: it keeps all that
// lists and writes have shown, and looks back through it. It shares nothing with the
// engine but the words.
type reference struct {
	listed bool
	status participant.Status
	// seen is what each list so far meant for the participant, oldest first.
	seen   []sighting
	writes []written
}

// sighting is what one list meant for the participant.
type sighting struct {
	list   refList
	shows  bool
	status participant.Status
	// applied reports that the list counts for the participant, and evidence that it said
	// nothing which W7 delays.
	applied, evidence bool
	// counted reports a placeholder that may be the first of two.
	counted bool
	// ignoredFor is the write whose window (W6) made the list count for nothing.
	ignoredFor *written
	// joined and removed report that this list listed the participant, or no longer.
	joined, removed bool
	// forgot reports that it was the second in a row after which a Remove is over.
	forgot bool
}

// refList is a list as far as the rules look at it. Orders are of one counter.
type refList struct {
	began       int
	ended       int
	beganAt     time.Time
	complete    bool
	placeholder bool
	// first reports that no list was applied before.
	first bool
	pages int
}

// written is a write that completed.
type written struct {
	kind           participant.WriteKind
	sent, done     int
	sentAt, doneAt time.Time
	status         participant.Status
	// published reports that it made a change or could have, window that it opened W6's.
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
	wasListed, before := r.listed, r.status
	r.writes = append(r.writes, w)
	if !w.published {
		return outcome{}
	}
	if w.kind == participant.WriteRemove {
		r.listed = false
		return outcome{left: wasListed, notBefore: w.sentAt}
	}
	r.listed, r.status = true, w.status
	return outcome{joined: !wasListed, changed: wasListed && before != w.status, notBefore: w.sentAt}
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

// governing is the latest write that opened a window, unless a later one closed it.
func (r *reference) governing() *written {
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

// over are the statuses of a call that has ended, in W6's words.
func isOver(status participant.Status) bool { return status == "disconnected" || status == "rejected" }

// show applies a list that shows the participant.
func (r *reference) show(l refList, status participant.Status) outcome {
	s := sighting{list: l, shows: true, status: status}
	defer func() { r.seen = append(r.seen, s) }()
	if r.predatesWrite(l) {
		return outcome{}
	}
	removal := r.removal()
	switch {
	case removal != nil && isOver(status):
		s.applied, s.evidence = true, true
		return outcome{}
	case removal != nil && removal.within(l):
		s.ignoredFor = removal
		return outcome{}
	}
	s.applied, s.evidence, s.joined = true, true, !r.listed
	did := outcome{joined: !r.listed, changed: r.listed && r.status != status, notBefore: r.lastEvidence()}
	if did.joined {
		did.notBefore = r.movedAfter()
	}
	r.listed, r.status = true, status
	return did
}

// removal is the Remove that keeps the participant out, nil where none does.
func (r *reference) removal() *written {
	g := r.governing()
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

// lack applies a complete list that does not show the participant.
func (r *reference) lack(l refList) outcome {
	s := sighting{list: l}
	removal := r.removal()
	defer func() {
		r.seen = append(r.seen, s)
		r.seen[len(r.seen)-1].forgot = removal != nil && r.removal() == nil
	}()
	if r.predatesWrite(l) {
		return outcome{}
	}
	if s.ignoredFor = r.lags(l); s.ignoredFor != nil {
		return outcome{}
	}
	s.counted = true
	if l.placeholder && !r.secondPlaceholder(l) {
		s.evidence = l.first && len(r.writes) == 0
		return outcome{}
	}
	s.applied = true
	delayed := l.pages > 1 && !r.lackedBefore()
	s.evidence = !r.listed || !delayed
	if !s.evidence || !r.listed {
		return outcome{}
	}
	s.removed, r.listed = true, false
	return outcome{left: true, notBefore: r.movedAfter()}
}

// lags gives the Add after which an absence is ignored, nil where none is.
func (r *reference) lags(l refList) *written {
	g := r.governing()
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

// sinceShown are the lists after the last that showed the participant, or the last write.
func (r *reference) sinceShown() []sighting {
	for i, s := range slices.Backward(r.seen) {
		if s.shows && s.applied || r.predatesWrite(s.list) {
			return r.seen[i+1:]
		}
	}
	return r.seen
}

// secondPlaceholder reports whether another placeholder began two seconds before, and
// nothing but placeholders and lists that count for nothing came between.
func (r *reference) secondPlaceholder(l refList) bool {
	for _, other := range slices.Backward(r.sinceShown()) {
		switch {
		case other.list.placeholder && other.counted && !l.beganAt.Before(other.list.beganAt.Add(2*time.Second)):
			return true
		case !other.list.placeholder && other.applied:
			return false
		}
	}
	return false
}

// lackedBefore reports whether the participant was missing from a complete list since
// it was last shown.
func (r *reference) lackedBefore() bool {
	for _, s := range r.sinceShown() {
		if !s.shows && s.applied && !s.removed {
			return true
		}
	}
	return false
}

// lastEvidence is the start of the last list that was applied to the participant, or the
// sending of the first write where none was.
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

// movedAfter is the time after which a participant who joins or leaves now did so: where
// W6 held that back, the sending of the write.
func (r *reference) movedAfter() time.Time {
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
