package roster_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// timeline applies lists and writes to a roster, at seconds of a virtual time.
type timeline struct {
	t      *testing.T
	roster *roster.Roster
	clock  roster.LogicalTime
	now    time.Time
	pages  int
	start  time.Time
}

func newTimeline(t *testing.T) *timeline {
	t.Helper()
	start := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	return &timeline{t: t, roster: roster.New("conf"), now: start, start: start, pages: 1}
}

func (tl *timeline) tick() roster.LogicalTime { tl.clock++; return tl.clock }

func (tl *timeline) wait(d time.Duration) { tl.now = tl.now.Add(d) }

// at returns the time so many seconds after the start.
func (tl *timeline) at(seconds float64) time.Time {
	return tl.start.Add(time.Duration(seconds * float64(time.Second)))
}

// listing is a list that has begun.
type listing struct {
	timeline *timeline
	began    roster.LogicalTime
	start    time.Time
}

func (tl *timeline) begin() listing { return listing{timeline: tl, began: tl.tick(), start: tl.now} }

// end applies a complete list.
func (l listing) end(items ...participant.Item) roster.Batch {
	l.timeline.t.Helper()
	batch := l.apply(participant.List{Items: items})
	if !batch.Complete {
		l.timeline.t.Error("the list counts as incomplete")
	}
	return batch
}

// incomplete applies a list with a page that could not be read.
func (l listing) incomplete(items ...participant.Item) roster.Batch {
	l.timeline.t.Helper()
	batch := l.apply(participant.List{Items: items, PageErr: errPage})
	if batch.Complete {
		l.timeline.t.Error("the list counts as complete")
	}
	return batch
}

var errPage = errors.New("page 2 could not be read")

// placeholder applies a list whose body contained no array.
func (l listing) placeholder() roster.Batch { return l.apply(participant.List{Placeholder: true}) }

// withSurplus applies a list whose total is larger than its number of items.
func (l listing) withSurplus(surplus int, items ...participant.Item) roster.Batch {
	total := len(items) + surplus
	return l.apply(participant.List{Items: items, Total: &total})
}

func (l listing) apply(list participant.List) roster.Batch {
	list.Pages, list.Read = l.timeline.pages, len(list.Items)
	list.Began, list.Ended = l.start, l.timeline.now
	return applied(l.timeline.roster, l.timeline.roster.PlanPoll(roster.Poll{List: list, Began: l.began, Applied: l.timeline.tick()}))
}

// applied applies a batch to the roster that planned it, and returns it.
func applied(r *roster.Roster, batch roster.Batch) roster.Batch {
	r.Apply(batch)
	return batch
}

// next begins a list one second later.
func (tl *timeline) next() listing {
	tl.wait(time.Second)
	return tl.begin()
}

// list applies a list one second later.
func (tl *timeline) list(items ...participant.Item) roster.Batch {
	tl.t.Helper()
	return tl.next().end(items...)
}

// lists applies equal lists, one a second, and returns all their changes.
func (tl *timeline) lists(n int, items ...participant.Item) []roster.Change {
	tl.t.Helper()
	var changes []roster.Change
	for range n {
		changes = append(changes, tl.list(items...).Changes...)
	}
	return changes
}

// writing is a write or a control that was sent.
type writing struct {
	timeline *timeline
	sent     roster.LogicalTime
	at       time.Time
}

func (tl *timeline) send() writing { return writing{timeline: tl, sent: tl.tick(), at: tl.now} }

func (w writing) answer(kind participant.WriteKind, item participant.Item) roster.Batch {
	return applied(w.timeline.roster, w.timeline.roster.PlanWrite(roster.Write{
		Write: participant.Write{Kind: kind, Item: item},
		Sent:  w.sent, SentAt: w.at, Done: w.timeline.tick(), DoneAt: w.timeline.now,
	}))
}

func (w writing) added(item participant.Item) roster.Batch {
	return w.answer(participant.WriteAdd, item)
}

func (w writing) removed(id string) roster.Batch {
	return w.answer(participant.WriteRemove, participant.Item{Participant: participant.Participant{ID: id}})
}

// control ends a control of a participant without one in the answer.
func (w writing) control(c participant.Control, id string) roster.Batch {
	return w.controlled(c, participant.Item{Participant: participant.Participant{ID: id}})
}

// controlled ends a control with a participant in the answer.
func (w writing) controlled(c participant.Control, item participant.Item) roster.Batch {
	return applied(w.timeline.roster, w.timeline.roster.PlanControl(roster.Control{
		Controlled: participant.Controlled{Control: c, Item: item},
		Sent:       w.sent, SentAt: w.at, Done: w.timeline.tick(), DoneAt: w.timeline.now,
	}))
}

// person returns an item with a status.
func person(id string, status participant.Status) participant.Item {
	return participant.Item{
		Participant: participant.Participant{ID: id, ConferenceID: "elsewhere", Status: status},
		Fields:      participant.FieldStatus,
	}
}

// muted returns an item with a status that is muted or not.
func muted(id string, status participant.Status, muted bool) participant.Item {
	return with(person(id, status), participant.FieldMuted, func(p *participant.Participant) { p.Muted = muted })
}

// with returns the item with one more field.
func with(item participant.Item, field participant.Fields, set func(*participant.Participant)) participant.Item {
	set(&item.Participant)
	item.Fields |= field
	return item
}

// describe formats changes: "+a(dialing)", "a(dialing>connected)", "-a(connected)", with a
// star for a change by a write or a control.
func describe(changes []roster.Change) string {
	texts := make([]string, 0, len(changes))
	for _, c := range changes {
		texts = append(texts, describeChange(c))
	}
	return strings.Join(texts, " ")
}

func describeChange(c roster.Change) string {
	star := map[bool]string{true: "*"}[c.ByWrite]
	switch {
	case c.Before == nil:
		return fmt.Sprintf("+%s(%s)%s", c.After.ID, state(*c.After), star)
	case c.After == nil:
		return fmt.Sprintf("-%s(%s)%s", c.Before.ID, state(*c.Before), star)
	default:
		return fmt.Sprintf("%s(%s>%s)%s", c.After.ID, state(*c.Before), state(*c.After), star)
	}
}

// state formats the fields that controls change: "connected", "held,muted".
func state(p participant.Participant) string {
	return string(p.Status) + map[bool]string{true: ",muted"}[p.Muted]
}

func (tl *timeline) expect(changes []roster.Change, want string) {
	tl.t.Helper()
	if got := describe(changes); got != want {
		tl.t.Errorf("changes: got %q, want %q", got, want)
	}
}

// holds checks who is in the roster: "a(connected) b(held)".
func (tl *timeline) holds(want string) {
	tl.t.Helper()
	var texts []string
	active := 0
	for _, p := range tl.roster.People().Copy() {
		texts = append(texts, fmt.Sprintf("%s(%s)", p.ID, state(p)))
		if p.Status.Active() {
			active++
		}
	}
	if got := strings.Join(texts, " "); got != want {
		tl.t.Errorf("roster: got %q, want %q", got, want)
	}
	if total, counted := tl.roster.Counts(); total != len(texts) || counted != active {
		tl.t.Errorf("counts: got %d, %d, want %d, %d", total, counted, len(texts), active)
	}
}

func (tl *timeline) between(batch roster.Batch, notBefore, notAfter float64) {
	tl.t.Helper()
	if !batch.NotBefore.Equal(tl.at(notBefore)) || !batch.NotAfter.Equal(tl.at(notAfter)) {
		tl.t.Errorf("not_before..not_after: got %v..%v s, want %v..%v s",
			batch.NotBefore.Sub(tl.start).Seconds(), batch.NotAfter.Sub(tl.start).Seconds(), notBefore, notAfter)
	}
}

const (
	pending      = participant.StatusPending
	dialing      = participant.StatusDialing
	connected    = participant.StatusConnected
	held         = participant.StatusHeld
	disconnected = participant.StatusDisconnected
)
