package histories_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// rules plays lists and writes in any order to a roster, and to the reference of each id.
type rules struct {
	roster  *roster.Roster
	people  map[string]*reference
	now     time.Time
	counter int
	listing *refList
	sent    []written
	lists   int
}

var ruleIDs = []string{"a", "b", "c"}

func (h *rules) tick() int { h.counter++; return h.counter }

// TestRules_RosterIsWhatTheWordsSay compares each batch of the roster, and what it holds
// after, with the reference.
func TestRules_RosterIsWhatTheWordsSay(t *testing.T) {
	if err := setChecks(3 * *histories); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		h := &rules{roster: roster.New(conference), people: map[string]*reference{}, now: time.Unix(1000, 0)}
		for _, id := range ruleIDs {
			h.people[id] = &reference{}
		}
		start := h.now
		for range rapid.IntRange(1, 80).Draw(rt, "steps") {
			// An id that left is forgotten after two minutes, which no rule is about.
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
	switch rapid.SampledFrom([]string{"send", "answer", "list", "list", "list"}).Draw(rt, "step") {
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
	w.kind = rapid.SampledFrom([]participant.WriteKind{participant.WriteAdd, participant.WriteRemove}).Draw(rt, "kind")
	w.status = rapid.SampledFrom(ruleStatuses).Draw(rt, "status")
	w.done, w.doneAt = h.tick(), h.now
	batch := h.roster.ApplyWrite(roster.Write{
		Write: participant.Write{Kind: w.kind, Item: itemOf(id, w.status)},
		Sent:  roster.LogicalTime(w.sent), Done: roster.LogicalTime(w.done), SentAt: w.sentAt, DoneAt: w.doneAt,
	})
	did := h.people[id].write(w)
	return h.compare(batch, map[string]outcome{id: did}, false)
}

func itemOf(id string, status participant.Status) participant.Item {
	return participant.Item{Participant: participant.Participant{ID: id, Status: status}, Fields: participant.FieldStatus}
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
		status := rapid.SampledFrom(ruleStatuses).Draw(rt, "status")
		list.Items = append(list.Items, itemOf(id, status))
		did[id] = h.people[id].show(l, status)
	}
	for _, id := range ruleIDs {
		if !slices.Contains(shown, id) && l.complete {
			did[id] = h.people[id].lack(l)
		}
	}
	batch := h.roster.ApplyPoll(roster.Poll{List: list, Began: roster.LogicalTime(l.began), Applied: roster.LogicalTime(l.ended)})
	if batch.Complete != l.complete {
		return fmt.Errorf("complete: got %t", batch.Complete)
	}
	return h.compare(batch, did, l.first)
}

// compare holds a batch, and the roster after it, against the outcomes that the words
// give. The first list changes nothing for anybody.
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
		return fmt.Errorf("changes (id, joined, left): got %v, the words give %v", got, want)
	case notBefore != nil && !batch.NotBefore.Equal(*notBefore):
		return fmt.Errorf("not_before of %v: got %v, the words give %v", got, batch.NotBefore, *notBefore)
	}
	return h.compareRosters()
}

func (h *rules) compareRosters() error {
	var got, want []string
	for _, p := range h.roster.Participants() {
		got = append(got, p.ID+" "+string(p.Status))
	}
	for _, id := range ruleIDs {
		if p := h.people[id]; p.listed {
			want = append(want, id+" "+string(p.status))
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("the roster holds %s, the words give %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
	return nil
}
