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

// story tells a roster what happens, second by second, and keeps what it says.
type story struct {
	t      *testing.T
	roster *roster.Roster
	stamp  roster.LogicalTime
	now    time.Time
	pages  int
	start  time.Time
}

func newStory(t *testing.T) *story {
	t.Helper()
	start := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	return &story{t: t, roster: roster.New("conf"), now: start, start: start, pages: 1}
}

func (s *story) tick() roster.LogicalTime { s.stamp++; return s.stamp }

func (s *story) wait(d time.Duration) { s.now = s.now.Add(d) }

// at is seconds into the story.
func (s *story) at(seconds float64) time.Time {
	return s.start.Add(time.Duration(seconds * float64(time.Second)))
}

// listing is a list under way.
type listing struct {
	story *story
	began roster.LogicalTime
	start time.Time
}

func (s *story) begin() listing { return listing{story: s, began: s.tick(), start: s.now} }

// end applies a complete list.
func (l listing) end(items ...participant.Item) roster.Batch {
	l.story.t.Helper()
	batch := l.apply(participant.List{Items: items})
	if !batch.Complete {
		l.story.t.Error("the list is taken for incomplete")
	}
	return batch
}

// unread applies a list of which a later page could not be read.
func (l listing) unread(items ...participant.Item) roster.Batch {
	l.story.t.Helper()
	batch := l.apply(participant.List{Items: items, PageErr: errPage})
	if batch.Complete {
		l.story.t.Error("the list is taken for complete")
	}
	return batch
}

var errPage = errors.New("page 2 could not be read")

// empty applies a list whose body held no array.
func (l listing) empty() roster.Batch { return l.apply(participant.List{Placeholder: true}) }

// counted applies a list whose total is larger than what was read.
func (l listing) counted(surplus int, items ...participant.Item) roster.Batch {
	total := len(items) + surplus
	return l.apply(participant.List{Items: items, Total: &total})
}

func (l listing) apply(list participant.List) roster.Batch {
	list.Pages, list.Read = l.story.pages, len(list.Items)
	list.Began, list.Ended = l.start, l.story.now
	return l.story.roster.ApplyPoll(roster.Poll{List: list, Began: l.began, Applied: l.story.tick()})
}

// next begins a list a second after whatever was before.
func (s *story) next() listing {
	s.wait(time.Second)
	return s.begin()
}

// list reads a list a second after whatever was before.
func (s *story) list(items ...participant.Item) roster.Batch {
	s.t.Helper()
	return s.next().end(items...)
}

// lists reads equal lists, one a second, and joins what they change.
func (s *story) lists(n int, items ...participant.Item) []roster.Change {
	s.t.Helper()
	var changes []roster.Change
	for range n {
		changes = append(changes, s.list(items...).Changes...)
	}
	return changes
}

// writing is a write under way.
type writing struct {
	story *story
	sent  roster.LogicalTime
	at    time.Time
}

func (s *story) send() writing { return writing{story: s, sent: s.tick(), at: s.now} }

func (w writing) answer(kind participant.WriteKind, item participant.Item) roster.Batch {
	return w.story.roster.ApplyWrite(roster.Write{
		Write: participant.Write{Kind: kind, Item: item},
		Sent:  w.sent, SentAt: w.at, Done: w.story.tick(), DoneAt: w.story.now,
	})
}

func (w writing) added(item participant.Item) roster.Batch {
	return w.answer(participant.WriteAdd, item)
}

func (w writing) removed(id string) roster.Batch {
	return w.answer(participant.WriteRemove, participant.Item{Participant: participant.Participant{ID: id}})
}

// person is an item that tells a status.
func person(id string, status participant.Status) participant.Item {
	return participant.Item{
		Participant: participant.Participant{ID: id, ConferenceID: "elsewhere", Status: status},
		Fields:      participant.FieldStatus,
	}
}

// with makes an item tell more.
func with(item participant.Item, field participant.Fields, set func(*participant.Participant)) participant.Item {
	set(&item.Participant)
	item.Fields |= field
	return item
}

// told puts changes into words: "+a(dialing)", "a(dialing>connected)", "-a(connected)",
// with a star where a write told.
func told(changes []roster.Change) string {
	words := make([]string, 0, len(changes))
	for _, c := range changes {
		words = append(words, word(c))
	}
	return strings.Join(words, " ")
}

func word(c roster.Change) string {
	star := map[bool]string{true: "*"}[c.ByWrite]
	switch {
	case c.Before == nil:
		return fmt.Sprintf("+%s(%s)%s", c.After.ID, c.After.Status, star)
	case c.After == nil:
		return fmt.Sprintf("-%s(%s)%s", c.Before.ID, c.Before.Status, star)
	default:
		return fmt.Sprintf("%s(%s>%s)%s", c.After.ID, c.Before.Status, c.After.Status, star)
	}
}

func (s *story) expect(changes []roster.Change, want string) {
	s.t.Helper()
	if got := told(changes); got != want {
		s.t.Errorf("changes: got %q, want %q", got, want)
	}
}

// holds says who is in the roster: "a(connected) b(held)".
func (s *story) holds(want string) {
	s.t.Helper()
	var words []string
	active := 0
	for _, p := range s.roster.Participants() {
		words = append(words, fmt.Sprintf("%s(%s)", p.ID, p.Status))
		if p.Status.Active() {
			active++
		}
	}
	if got := strings.Join(words, " "); got != want {
		s.t.Errorf("roster: got %q, want %q", got, want)
	}
	if total, counted := s.roster.Counts(); total != len(words) || counted != active {
		s.t.Errorf("counts: got %d, %d, want %d, %d", total, counted, len(words), active)
	}
}

func (s *story) between(batch roster.Batch, notBefore, notAfter float64) {
	s.t.Helper()
	if !batch.NotBefore.Equal(s.at(notBefore)) || !batch.NotAfter.Equal(s.at(notAfter)) {
		s.t.Errorf("not_before..not_after: got %v..%v s, want %v..%v s",
			batch.NotBefore.Sub(s.start).Seconds(), batch.NotAfter.Sub(s.start).Seconds(), notBefore, notAfter)
	}
}

const (
	pending      = participant.StatusPending
	dialing      = participant.StatusDialing
	connected    = participant.StatusConnected
	held         = participant.StatusHeld
	disconnected = participant.StatusDisconnected
)
