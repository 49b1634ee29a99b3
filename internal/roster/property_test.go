package roster_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
	"github.com/audian/participant-gateway/internal/roster/encoding"
)

// apply does what a client does with a batch's changes.
func apply(held map[string]participant.Participant, changes []roster.Change) error {
	for _, c := range changes {
		if c.Before != nil {
			known, holds := held[c.Before.ID]
			if !holds || participant.Changed(known, *c.Before) != 0 {
				return fmt.Errorf("before %+v, but held %+v", *c.Before, known)
			}
			delete(held, c.Before.ID)
		}
		if c.After == nil {
			continue
		}
		if _, holds := held[c.After.ID]; holds {
			return fmt.Errorf("%s joined, but is held", c.After.ID)
		}
		held[c.After.ID] = *c.After
	}
	return nil
}

// same returns how a client differs from the roster (W2), without duration and a first
// created_at.
func same(held map[string]participant.Participant, listed []participant.Participant) error {
	if len(held) != len(listed) {
		return fmt.Errorf("%d held, %d listed", len(held), len(listed))
	}
	for _, p := range listed {
		known, holds := held[p.ID]
		if !holds || participant.Changed(known, p) != 0 {
			return fmt.Errorf("held %+v, listed %+v", known, p)
		}
	}
	return nil
}

// drawItem draws an item that contains some of its fields.
func drawItem(t *rapid.T, id string) participant.Item {
	statuses := []participant.Status{pending, dialing, connected, held, disconnected, "rejected", "", "whispering"}
	moment := func(label string) time.Time {
		return time.Unix(int64(rapid.IntRange(0, 2).Draw(t, label)), 0)
	}
	return participant.Item{
		Participant: participant.Participant{
			ID:       id,
			Name:     rapid.SampledFrom([]string{"", "Ada", "Bob"}).Draw(t, "name"),
			Role:     rapid.SampledFrom([]participant.Role{"", "listener", "presenter"}).Draw(t, "role"),
			Status:   rapid.SampledFrom(statuses).Draw(t, "status"),
			Muted:    rapid.Bool().Draw(t, "muted"),
			Duration: rapid.Int32Range(0, 3).Draw(t, "duration"),
			JoinedAt: moment("joined"), CreatedAt: moment("created"),
		},
		Fields: participant.Fields(rapid.Uint16Range(0, uint16(participant.AllFields)).Draw(t, "fields")),
	}
}

func drawList(t *rapid.T) []participant.Item {
	ids := rapid.SliceOfNDistinct(rapid.SampledFrom(strings.Split("abcdef", "")), 0, 6, rapid.ID[string]).Draw(t, "ids")
	items := make([]participant.Item, 0, len(ids))
	for _, id := range ids {
		items = append(items, drawItem(t, id))
	}
	return items
}

// history is a random order of starts and ends of lists, writes and controls.
type history struct {
	roster  *roster.Roster
	clock   roster.LogicalTime
	now     time.Time
	listing *roster.Poll
	writes  []roster.Write
	held    map[string]participant.Participant
	// items are those of the last list.
	items []participant.Item
	// copied is a copy of the roster, to which the encoded batches are applied.
	copied *roster.Roster
	// steady reports that all pages can be read, and that the total is always larger by
	// surplus.
	steady  bool
	surplus int
}

func newHistory(t *rapid.T) *history {
	return &history{
		steady: rapid.Bool().Draw(t, "steady"), surplus: rapid.IntRange(0, 2).Draw(t, "surplus"),
		roster: roster.New("conf"), now: time.Unix(1000, 0), copied: roster.New("conf"),
		held: map[string]participant.Participant{},
	}
}

func (h *history) tick() roster.LogicalTime { h.clock++; return h.clock }

// commit plans on the roster and on the copy, compares the two batches, and applies that of the
// roster to both; to the copy after a round trip through its encoding. The copy applies also the
// items that the roster leaves out because they repeat what is known.
func (h *history) commit(t *rapid.T, plan func(*roster.Roster) roster.Batch) roster.Batch {
	h.copied.ApplyEveryItem()
	base := encoded(t, h.roster.Base())
	batch, same := plan(h.roster), plan(h.copied)
	if got, want := encoded(t, withoutDurations(same)), encoded(t, withoutDurations(batch)); got != want {
		t.Fatalf("the copy plans\n%s, want\n%s", got, want)
	}
	if again := encoded(t, h.roster.Base()); again != base {
		t.Fatalf("a plan changed the roster from\n%s to\n%s", base, again)
	}
	h.roster.Apply(batch)
	h.copied.Apply(decoded(t, encoded(t, batch)))
	h.compareCopy(t)
	if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
		h.copied = roster.New("conf")
		h.copied.Apply(decoded(t, encoded(t, h.roster.Base())))
		h.compareCopy(t)
	}
	return batch
}

func (h *history) step(t *rapid.T) roster.Batch {
	h.now = h.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
	if rapid.IntRange(0, 29).Draw(t, "gap") == 0 {
		h.now = h.now.Add(time.Duration(rapid.IntRange(1, 11).Draw(t, "minutes")) * time.Minute)
	}
	switch rapid.IntRange(0, 3).Draw(t, "step") {
	case 0:
		h.writes = append(h.writes, roster.Write{Sent: h.tick(), SentAt: h.now})
		return roster.Batch{}
	case 1:
		if len(h.writes) == 0 {
			return roster.Batch{}
		}
		i := rapid.IntRange(0, len(h.writes)-1).Draw(t, "write")
		w := h.writes[i]
		h.writes = slices.Delete(h.writes, i, i+1)
		w.Item = drawItem(t, rapid.SampledFrom(strings.Split("abcdefg", "")).Draw(t, "id"))
		w.Done, w.DoneAt = h.tick(), h.now
		if control := participant.Control(rapid.IntRange(0, int(disconnect)).Draw(t, "control")); control > 0 {
			c := roster.Control{
				Controlled: participant.Controlled{Control: control, Item: w.Item},
				Sent:       w.Sent, Done: w.Done, SentAt: w.SentAt, DoneAt: w.DoneAt,
			}
			return h.commit(t, func(r *roster.Roster) roster.Batch { return r.PlanControl(c) })
		}
		w.Kind = participant.WriteKind(rapid.IntRange(1, 2).Draw(t, "kind"))
		return h.commit(t, func(r *roster.Roster) roster.Batch { return r.PlanWrite(w) })
	default:
		return h.list(t)
	}
}

// list begins a list or ends the one under way: lists never overlap.
func (h *history) list(t *rapid.T) roster.Batch {
	if h.listing == nil {
		h.listing = &roster.Poll{Began: h.tick(), List: participant.List{Began: h.now}}
		return roster.Batch{}
	}
	poll := *h.listing
	h.listing = nil
	items := h.drawItems(t)
	poll.Applied = h.tick()
	poll.List.Items, poll.List.Read, poll.List.Ended = items, len(items), h.now
	poll.List.Pages = rapid.IntRange(1, 2).Draw(t, "pages")
	h.flaws(t, &poll.List)
	known := h.roster.Known()
	batch := h.commit(t, func(r *roster.Roster) roster.Batch { return r.PlanPoll(poll) })
	if !known {
		h.held = map[string]participant.Participant{} // The first snapshot.
		for _, p := range h.roster.People().Copy() {
			h.held[p.ID] = p
		}
	}
	return batch
}

// drawItems draws the items of the next list. Often most of them are those of the last one, with
// durations that have ticked, or not.
func (h *history) drawItems(t *rapid.T) []participant.Item {
	if rapid.Bool().Draw(t, "new") {
		h.items = drawList(t)
		return h.items
	}
	h.items = slices.Clone(h.items)
	for i := range h.items {
		switch rapid.IntRange(0, 9).Draw(t, "item") {
		case 0:
			h.items[i] = drawItem(t, h.items[i].ID)
		case 1:
			h.items[i].Duration += rapid.Int32Range(0, 5).Draw(t, "seconds")
		default:
		}
	}
	return h.items
}

// flaws draws what makes a list incomplete.
func (h *history) flaws(t *rapid.T, list *participant.List) {
	total := list.Read + h.surplus
	list.Total = &total
	if h.steady {
		return
	}
	if rapid.IntRange(0, 4).Draw(t, "incomplete") == 0 {
		list.PageErr = errors.New("page 2 failed")
	}
	if list.Placeholder = list.Read == 0 && rapid.Bool().Draw(t, "placeholder"); list.Placeholder || rapid.Bool().Draw(t, "total") {
		list.Total = nil
	}
}

// TestW02_BatchesReproduceTheRoster compares the roster, after every step, with a client
// that applied the changes, and with a copy to which the encoded batches were applied.
func TestW02_BatchesReproduceTheRoster(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(rt)
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			batch := h.step(rt)
			if err := apply(h.held, batch.Changes); err != nil {
				rt.Fatalf("apply: %v", err)
			}
			if err := same(h.held, h.roster.People().Copy()); err != nil {
				rt.Fatalf("client: %v", err)
			}
			checkBatch(rt, batch)
		}
	})
}

// compareCopy compares the roster with its copy, without durations.
func (h *history) compareCopy(t *rapid.T) {
	if got, want := encoded(t, h.copied.Base()), encoded(t, h.roster.Base()); got != want {
		t.Fatalf("the copy is\n%s, want\n%s", got, want)
	}
	held := map[string]participant.Participant{}
	for _, p := range h.copied.People().Copy() {
		held[p.ID] = p
	}
	if err := same(held, h.roster.People().Copy()); err != nil {
		t.Fatalf("copy: %v", err)
	}
	if !reflect.DeepEqual(h.copied.IDs(), h.roster.IDs()) || !h.copied.ObservedAt().Equal(h.roster.ObservedAt()) {
		t.Fatalf("the copy keeps %v, want %v", h.copied.IDs(), h.roster.IDs())
	}
	if h.copied.InFlight(h.now) != h.roster.InFlight(h.now) || h.copied.Known() != h.roster.Known() {
		t.Fatal("the copy differs in who is in flight, or in whether it is known")
	}
	total, active := h.roster.Counts()
	if copiedTotal, copiedActive := h.copied.Counts(); copiedTotal != total || copiedActive != active {
		t.Fatalf("the copy counts %d, %d, want %d, %d", copiedTotal, copiedActive, total, active)
	}
}

func encoded(t *rapid.T, batch roster.Batch) string {
	data, err := encoding.EncodeBatch(batch)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func decoded(t *rapid.T, data string) roster.Batch {
	batch, err := encoding.DecodeBatch("conf", []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

// withoutDurations returns a copy of a batch without durations: a copy of the roster predicts
// them.
func withoutDurations(batch roster.Batch) roster.Batch {
	batch.Changes, batch.Members = slices.Clone(batch.Changes), slices.Clone(batch.Members)
	for i := range batch.Changes {
		for _, p := range []**participant.Participant{&batch.Changes[i].Before, &batch.Changes[i].After} {
			if *p != nil {
				without := **p
				without.Duration = 0
				*p = &without
			}
		}
	}
	for i := range batch.Members {
		batch.Members[i].Participant.Duration = 0
	}
	return batch
}

func checkBatch(t *rapid.T, batch roster.Batch) {
	if batch.NotBefore.After(batch.NotAfter) {
		t.Fatalf("not_before %v is after not_after %v", batch.NotBefore, batch.NotAfter)
	}
	for _, c := range batch.Changes {
		if c.Before != nil && c.After != nil && participant.Changed(*c.Before, *c.After) == 0 {
			t.Fatalf("an update that changes nothing: %+v", *c.Before)
		}
	}
}

// FuzzDiff shows that the changes from one list to another, applied to the first,
// give the second.
func FuzzDiff(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte{0x11, 0x22}, []byte{0x12, 0x33})
	f.Add([]byte{1, 2, 3, 4, 5}, []byte{5, 4, 3})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		r := roster.New("conf")
		poll := func(clock roster.LogicalTime, items []participant.Item) roster.Batch {
			return applied(r, r.PlanPoll(roster.Poll{
				List:  participant.List{Items: items, Read: len(items), Pages: 1},
				Began: clock, Applied: clock + 1,
			}))
		}
		a, b := itemsOf(first), itemsOf(second)
		poll(1, a)
		held := map[string]participant.Participant{}
		for _, p := range r.People().Copy() {
			held[p.ID] = p
		}
		if err := apply(held, poll(3, b).Changes); err != nil {
			t.Fatal(err)
		}
		if err := same(held, r.People().Copy()); err != nil {
			t.Fatal(err)
		}
		if got, want := ids(r.People().Copy()), idsOf(b); !reflect.DeepEqual(got, want) {
			t.Fatalf("listed %v, want %v", got, want)
		}
	})
}

// itemsOf makes a list from bytes: the high half of each is an id, the low half its fields.
func itemsOf(bytes []byte) []participant.Item {
	statuses := []participant.Status{dialing, connected, held, disconnected}
	seen := map[string]bool{}
	var items []participant.Item
	for _, b := range bytes {
		id := fmt.Sprintf("p%x", b>>4)
		if seen[id] {
			continue
		}
		seen[id] = true
		item := person(id, statuses[b&3])
		if b&4 != 0 {
			item = with(item, participant.FieldMuted, func(p *participant.Participant) { p.Muted = b&8 != 0 })
		}
		items = append(items, item)
	}
	return items
}

func ids(listed []participant.Participant) []string {
	ids := []string{}
	for _, p := range listed {
		ids = append(ids, p.ID)
	}
	return ids
}

func idsOf(items []participant.Item) []string {
	ids := []string{}
	for _, item := range items {
		ids = append(ids, item.ID)
	}
	slices.Sort(ids)
	return ids
}
