package histories_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// The fields that controls change.
const (
	fieldMuted  = "muted"
	fieldStatus = "status"
)

// controlResults are the field and the value of each control.
var controlResults = map[participant.Control][2]string{
	participant.ControlMute: {fieldMuted, "true"}, participant.ControlUnmute: {fieldMuted, "false"},
	participant.ControlHold: {fieldStatus, "held"}, participant.ControlResume: {fieldStatus, "connected"},
	participant.ControlDisconnect: {fieldStatus, "disconnected"},
}

// checkControlled checks the changes of the fields that controls change (A8): each value was
// named by a control or shown by a list, it was true, and it did not return because of lag.
func (w *harness) checkControlled(epoch feed.Epoch, entry feed.Entry, change roster.Change) error {
	if change.Before == nil || change.After == nil {
		return nil
	}
	for _, field := range []string{fieldMuted, fieldStatus} {
		value := valueOf(*change.After, field)
		if valueOf(*change.Before, field) == value {
			continue
		}
		if err := w.checkValue(epoch, entry, change, named{change.After.ID, field, value}); err != nil {
			return fmt.Errorf("A8: %s of %s became %q within %s: %w", field, change.After.ID, value, bounds(entry), err)
		}
	}
	return nil
}

func (w *harness) checkValue(epoch feed.Epoch, entry feed.Entry, change roster.Change, n named) error {
	switch {
	case change.ByWrite && w.lists.wasAdded(n.id):
		return nil // An Add may have created a participant with the id of an earlier one.
	case change.ByWrite && !w.controls.isNamed(n):
		return fmt.Errorf("no control named it")
	case change.ByWrite && !w.truth.was(n.key(), entry.NotBefore, entry.NotAfter, n.isTrue):
		return fmt.Errorf("it was not true: %+v", w.truth.lives[n.key()])
	case change.ByWrite:
		return nil
	case !w.lists.showed(entry, n):
		return fmt.Errorf("the list does not show it")
	}
	return w.checkFlap(epoch, entry, n, valueOf(*change.Before, n.field))
}

// checkFlap fails if a list only takes back what a control published: the upstream has not
// changed the field to that value since the control was sent. A later control whose answer
// contradicts it is not published, and so does not overtake an earlier one.
func (w *harness) checkFlap(epoch feed.Epoch, entry feed.Entry, n named, before string) error {
	sent, published := w.lastControl(epoch, entry, n)
	if !published || w.controls.isContradicted(n.id) || w.truth.became(n.key(), sent, entry.NotAfter, n.isTrue) {
		return nil
	}
	if w.hadUnpublished(named{n.id, n.field, before}, sent) {
		return nil
	}
	return fmt.Errorf("a control sent at %s gave another value, and the upstream did not change it since: %+v",
		sent.Format(clock), w.truth.lives[n.key()])
}

// hadUnpublished reports whether the field had a value within the lag of lists before a time, and no
// entry of the log shows it, for example after a control whose answers were lost. A list that lags can
// then show the value of a later control before that control took effect, and so end its effect.
func (w *harness) hadUnpublished(n named, until time.Time) bool {
	for _, m := range w.truth.intervals(n.key(), n.value, until.Add(-roster.LagWindow), until) {
		if !w.wasPublished(n, m) {
			return true
		}
	}
	return false
}

// wasPublished reports whether the log has an entry of a control that gave the field a value at a moment.
func (w *harness) wasPublished(n named, at moment) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, entry := range w.ledger.Entries {
		if entry.NotBefore.After(at.seen) || entry.NotAfter.Before(at.since) {
			continue
		}
		for _, change := range entry.Changes {
			if change.ByWrite && concerns(change, n.id) && change.After != nil && valueOf(*change.After, n.field) == n.value {
				return true
			}
		}
	}
	return false
}

// lastControl returns when the control was sent that changed the field last before an entry;
// false if a list changed it, or the participant joined.
func (w *harness) lastControl(epoch feed.Epoch, entry feed.Entry, n named) (sent time.Time, published bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for seq := entry.Seq; seq > 0; {
		seq--
		earlier, logged := w.ledger.Entries[feed.Position{Epoch: epoch, Seq: seq}]
		if !logged {
			continue
		}
		for _, change := range earlier.Changes {
			switch {
			case !concerns(change, n.id):
			case change.Before == nil || change.After == nil:
				return time.Time{}, false
			case valueOf(*change.Before, n.field) != valueOf(*change.After, n.field):
				return earlier.NotBefore, change.ByWrite
			}
		}
	}
	return time.Time{}, false
}

// isTrue reports whether a value in truth is the named one. A participant whose call has ended
// may be gone at once, and a Disconnect after a lost answer succeeds if the call has ended.
func (n named) isTrue(value string) bool {
	return value == n.value || n.value == "disconnected" && over(value)
}

// key returns the key of the field in truth.
func (n named) key() string {
	if n.field == fieldStatus {
		return n.id
	}
	return mutedKey(n.id)
}

func mutedKey(id string) string { return id + "/muted" }

func (c *controls) isContradicted(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.contradicted[id]
}

func (c *controls) isNamed(n named) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.named[n]
}

// mutedOf returns the value of muted in an item of a body; empty if it has none that counts.
func mutedOf(raw json.RawMessage) string {
	switch strings.Trim(string(raw), `"`) {
	case "true", "1":
		return "true"
	case "false", "0":
		return "false"
	default:
		return ""
	}
}

// showed reports whether the list that caused an entry shows a value.
func (l *lists) showed(entry feed.Entry, n named) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	list, _ := l.listOf(entry)
	if list == nil {
		return false
	}
	if n.field == fieldStatus {
		return list.statuses[n.id] == n.value
	}
	return list.muted[n.id] == n.value
}

// checkHangUps fails if the last list shows the end of a call that the roster does not (A8). A
// list that an Add has overtaken does not count (W5). It also counts the values that the roster
// keeps from controls.
func (l *lists) checkHangUps(w *harness, state *feed.State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.read, func(list *listRead) bool { return known(state) && list.began.Equal(state.ObservedAt) })
	if i < 0 {
		return nil
	}
	list := l.read[i]
	for _, p := range state.People.Copy() {
		status := list.statuses[p.ID]
		done, added := l.added[p.ID]
		switch {
		case !list.shows(p.ID) || added && !done.at.Before(list.began):
		case over(status) && string(p.Status) != status:
			return fmt.Errorf("A8: the list shows %s as %s, but the roster as %s", p.ID, status, p.Status)
		case status != string(p.Status) && w.controls.isNamed(named{p.ID, fieldStatus, string(p.Status)}):
			w.seen.add(controlHeldBack)
		case list.muted[p.ID] != "" && list.muted[p.ID] != valueOf(p, fieldMuted):
			w.seen.add(controlHeldBack)
		}
		if over(status) && w.controls.isNamed(named{p.ID, fieldStatus, string(participant.StatusHeld)}) {
			w.seen.add(hungUpAfterHold)
		}
	}
	return nil
}

func (l *lists) wasAdded(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, added := l.added[id]
	return added
}

func (l *lists) addedWithin(id string, d time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	done, added := l.added[id]
	return added && time.Since(done.at) < d
}

// noteControl records whether a control got an answer, and counts a success after a request
// that got none. It ignores other requests.
func (l *lists) noteControl(w *harness, r *http.Request, success, lost bool) {
	id, _ := controlOf(r)
	if success && l.lostControls[id] {
		w.seen.add(controlLost)
	}
	l.lostControls[id] = id != "" && lost
}
