package rosterrules_test

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// rules applies lists, writes and controls in any order to a roster, and to the reference of
// each id.
type rules struct {
	roster  *roster.Roster
	people  map[string]*reference
	now     time.Time
	counter int
	listing *refList
	sent    []written
	lists   int
}

// TestMain sets how many checks run, unless -rapid.checks does. A failure is repeated by its seed.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.checks": "1200", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	m.Run()
}

var ruleIDs = []string{"a", "b", "c"}

func (h *rules) tick() int { h.counter++; return h.counter }

// TestRules_RosterMatchesTheReference compares each batch, and the roster after it,
// with the reference.
func TestRules_RosterMatchesTheReference(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := &rules{roster: roster.New("conf"), people: map[string]*reference{}, now: time.Unix(1000, 0)}
		for _, id := range ruleIDs {
			h.people[id] = &reference{}
		}
		start := h.now
		for range rapid.IntRange(1, 80).Draw(rt, "steps") {
			// The roster forgets an id two minutes after it left; the reference does not.
			if h.now.Sub(start) > 100*time.Second {
				return
			}
			if err := h.step(rt); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

func (h *rules) step(rt *rapid.T) error {
	h.now = h.now.Add(time.Duration(rapid.SampledFrom([]int{0, 200, 500, 1000, 2000, 4900, 6000}).Draw(rt, "ms")) * time.Millisecond)
	switch rapid.SampledFrom([]string{"send", "answer", "toggle", "list", "list", "list"}).Draw(rt, "step") {
	case "send":
		h.sent = append(h.sent, written{sent: h.tick(), sentAt: h.now})
		return nil
	case "answer":
		if len(h.sent) == 0 {
			return nil
		}
		i := rapid.IntRange(0, len(h.sent)-1).Draw(rt, "write")
		w := h.sent[i]
		h.sent = slices.Delete(h.sent, i, i+1)
		return h.answer(rt, w)
	case "toggle":
		return h.toggle(rt)
	default:
		if h.listing == nil {
			h.listing = &refList{began: h.tick(), beganAt: h.now, first: h.lists == 0}
			return nil
		}
		l := *h.listing
		h.listing = nil
		h.lists++
		return h.list(rt, l)
	}
}

var ruleStatuses = []participant.Status{"dialing", "connected", "held", "disconnected", "rejected", "whispering"}

func (h *rules) answer(rt *rapid.T, w written) error {
	id := rapid.SampledFrom(ruleIDs).Draw(rt, "id")
	w.done, w.doneAt = h.tick(), h.now
	if control := rapid.SampledFrom(ruleControls).Draw(rt, "control"); control != 0 {
		return h.control(rt, w, id, control)
	}
	w.kind = rapid.SampledFrom([]participant.WriteKind{participant.WriteAdd, participant.WriteRemove}).Draw(rt, "kind")
	w.status, w.muted = drawStatus(rt), rapid.SampledFrom(ruleMuted).Draw(rt, "muted")
	batch := h.roster.PlanWrite(roster.Write{
		Write: participant.Write{Kind: w.kind, Item: itemOf(id, w.fields())},
		Sent:  roster.LogicalTime(w.sent), Done: roster.LogicalTime(w.done), SentAt: w.sentAt, DoneAt: w.doneAt,
	})
	h.roster.Apply(batch)
	did := h.people[id].write(w)
	return h.compare(batch, map[string]outcome{id: did}, false)
}

// ruleControls has 0 for a write, and each control.
var ruleControls = []participant.Control{
	0, 0, 0, participant.ControlMute, participant.ControlUnmute,
	participant.ControlHold, participant.ControlResume, participant.ControlDisconnect,
}

// controlResults are the field and the value of each control.
var controlResults = map[participant.Control][2]string{
	participant.ControlMute: {fieldMuted, "true"}, participant.ControlUnmute: {fieldMuted, "false"},
	participant.ControlHold: {fieldStatus, "held"}, participant.ControlResume: {fieldStatus, "connected"},
	participant.ControlDisconnect: {fieldStatus, "disconnected"},
}

// ruleMuted are the values of muted in an item; empty if it does not contain the field.
var ruleMuted = []string{"", "true", "false"}

// control answers a control: with nobody, with the new value, or with any fields.
func (h *rules) control(rt *rapid.T, w written, id string, control participant.Control) error {
	result := controlResults[control]
	c := refControl{field: result[0], value: result[1], sent: w.sent, done: w.done, sentAt: w.sentAt, doneAt: w.doneAt}
	answer := rapid.SampledFrom([]fields{nil, {c.field: c.value}, drawFields(rt)}).Draw(rt, "answer")
	batch := h.roster.PlanControl(roster.Control{
		Controlled: participant.Controlled{Control: control, Item: itemOf(id, answer)},
		Sent:       roster.LogicalTime(w.sent), Done: roster.LogicalTime(w.done), SentAt: w.sentAt, DoneAt: w.doneAt,
	})
	h.roster.Apply(batch)
	did := h.people[id].control(c, answer)
	return h.compare(batch, map[string]outcome{id: did}, false)
}

// toggle mutes and unmutes a participant, or holds and resumes them, in a moment.
func (h *rules) toggle(rt *rapid.T) error {
	id := rapid.SampledFrom(ruleIDs).Draw(rt, "id")
	pair := rapid.SampledFrom([][]participant.Control{
		{participant.ControlMute, participant.ControlUnmute},
		{participant.ControlUnmute, participant.ControlMute},
		{participant.ControlHold, participant.ControlResume},
		{participant.ControlResume, participant.ControlHold},
	}).Draw(rt, "toggle")
	for _, control := range pair {
		w := written{sent: h.tick(), sentAt: h.now}
		w.done, w.doneAt = h.tick(), h.now
		if err := h.control(rt, w, id, control); err != nil {
			return err
		}
	}
	return nil
}

func drawStatus(rt *rapid.T) participant.Status {
	return rapid.SampledFrom(ruleStatuses).Draw(rt, "status")
}

func drawFields(rt *rapid.T) fields {
	shown := fields{fieldStatus: string(drawStatus(rt))}
	if muted := rapid.SampledFrom(ruleMuted).Draw(rt, "muted"); muted != "" {
		shown[fieldMuted] = muted
	}
	return shown
}

func itemOf(id string, shown fields) participant.Item {
	item := participant.Item{Participant: participant.Participant{ID: id}}
	if status, contained := shown[fieldStatus]; contained {
		item.Status, item.Fields = participant.Status(status), participant.FieldStatus
	}
	if muted, contained := shown[fieldMuted]; contained {
		item.Muted, item.Fields = muted == "true", item.Fields|participant.FieldMuted
	}
	return item
}

func (h *rules) list(rt *rapid.T, l refList) error {
	shown := rapid.SliceOfNDistinct(rapid.SampledFrom(ruleIDs), 0, len(ruleIDs), rapid.ID[string]).Draw(rt, "shown")
	l.ended, l.pages = h.tick(), rapid.IntRange(1, 2).Draw(rt, "pages")
	l.complete = rapid.IntRange(0, 3).Draw(rt, "incomplete") > 0
	l.placeholder = len(shown) == 0 && l.complete && rapid.Bool().Draw(rt, "placeholder")
	list := participant.List{Pages: l.pages, Read: len(shown), Placeholder: l.placeholder, Began: l.beganAt, Ended: h.now}
	if !l.complete {
		list.PageErr = errors.New("unread")
	}
	did := map[string]outcome{}
	for _, id := range shown {
		item := drawFields(rt)
		list.Items = append(list.Items, itemOf(id, item))
		did[id] = h.people[id].applyPresent(l, item)
	}
	for _, id := range ruleIDs {
		if !slices.Contains(shown, id) && l.complete {
			did[id] = h.people[id].applyAbsent(l)
		}
	}
	batch := h.roster.PlanPoll(roster.Poll{List: list, Began: roster.LogicalTime(l.began), Applied: roster.LogicalTime(l.ended)})
	h.roster.Apply(batch)
	if batch.Complete != l.complete {
		return fmt.Errorf("complete: got %t", batch.Complete)
	}
	return h.compare(batch, did, l.first)
}

// compare compares a batch, and the roster after it, with the outcomes of the reference. The
// first list makes no changes.
func (h *rules) compare(batch roster.Batch, did map[string]outcome, first bool) error {
	var want []string
	var notBefore *time.Time
	for id, o := range did {
		if first || !o.joined && !o.left && !o.changed {
			continue
		}
		want = append(want, fmt.Sprintf("%s %t %t", id, o.joined, o.left))
		if notBefore == nil || o.notBefore.Before(*notBefore) {
			notBefore = &o.notBefore
		}
	}
	var got []string
	for _, c := range batch.Changes {
		id := c.Before
		if id == nil {
			id = c.After
		}
		got = append(got, fmt.Sprintf("%s %t %t", id.ID, c.Before == nil, c.After == nil))
	}
	slices.Sort(got)
	slices.Sort(want)
	switch {
	case !slices.Equal(got, want):
		return fmt.Errorf("changes (id, joined, left): got %v, want %v", got, want)
	case notBefore != nil && !batch.NotBefore.Equal(*notBefore):
		return fmt.Errorf("not_before of %v: got %v, want %v", got, batch.NotBefore, *notBefore)
	}
	return h.compareRosters()
}

func (h *rules) compareRosters() error {
	var got, want []string
	for _, p := range h.roster.People().Copy() {
		got = append(got, fmt.Sprintf("%s %s %t", p.ID, p.Status, p.Muted))
	}
	for _, id := range ruleIDs {
		if p := h.people[id]; p.listed {
			want = append(want, fmt.Sprintf("%s %s %t", id, p.status, p.muted))
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("the roster has %s, want %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
	return nil
}
