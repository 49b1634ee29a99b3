package histories_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// ledger keeps the roster of every position that the gateway's log had. It takes
// states, and from each goes back through the log to where it was before: so it also
// finds out whether the entries lead from the one roster to the other. A position
// between two entries has the roster of the one before.
type ledger struct {
	rosters map[feed.Position][]participant.Participant
	entries map[feed.Position]feed.Entry
	// fresh are the positions of entries that nobody has looked at.
	fresh []feed.Position
	// heads are the last positions of the logs that were known.
	heads map[feed.Epoch]uint64
}

func newLedger() *ledger {
	return &ledger{rosters: map[feed.Position][]participant.Participant{}, entries: map[feed.Position]feed.Entry{}, heads: map[feed.Epoch]uint64{}}
}

// take notes a state, and checks the entries that led to it.
func (l *ledger) take(state *feed.State) error {
	if !known(state) {
		return nil
	}
	epoch, people := state.Position.Epoch, state.Participants
	_, begun := l.heads[epoch]
	l.heads[epoch] = state.Position.Seq
	for i := len(state.History); ; i-- {
		at := feed.Position{Epoch: epoch, Seq: state.Floor}
		if i > 0 {
			at.Seq = state.History[i-1].Seq
		}
		if known, found := l.rosters[at]; found {
			return same(known, people)
		}
		l.rosters[at] = people
		if i == 0 {
			return nil
		}
		entry := state.History[i-1]
		l.entries[at] = entry
		l.fresh = append(l.fresh, at)
		before, err := undo(people, entry)
		switch {
		case err != nil && !begun:
			return nil // Before the first list there was no roster to be led to.
		case err != nil:
			return fmt.Errorf("entry %d: %w", entry.Seq, err)
		}
		people = before
	}
}

// roster is that of a position, nil where the log never had it.
func (l *ledger) roster(at feed.Position) ([]participant.Participant, bool) {
	if at.Seq > l.heads[at.Epoch] {
		return nil, false
	}
	for {
		if people, found := l.rosters[at]; found {
			return people, true
		}
		if at.Seq == 0 {
			return nil, false
		}
		at.Seq--
	}
}

// undo is the roster before an entry.
func undo(people []participant.Participant, entry feed.Entry) ([]participant.Participant, error) {
	held := byID(people)
	for _, change := range entry.Changes {
		if change.After != nil {
			if differ(held[change.After.ID], *change.After) {
				return nil, fmt.Errorf("tells %+v, but the roster has %+v", *change.After, held[change.After.ID])
			}
			delete(held, change.After.ID)
		}
	}
	for _, change := range entry.Changes {
		if change.Before != nil {
			held[change.Before.ID] = *change.Before
		}
	}
	before := make([]participant.Participant, 0, len(held))
	for _, p := range held {
		before = append(before, p)
	}
	return before, nil
}

func byID(people []participant.Participant) map[string]participant.Participant {
	held := make(map[string]participant.Participant, len(people))
	for _, p := range people {
		held[p.ID] = p
	}
	return held
}

// differ holds two against each other as far as W2 promises that they are alike.
func differ(a, b participant.Participant) bool {
	return a.ID != b.ID || participant.Changed(a, b) != 0 && !b.CreatedAt.IsZero() ||
		participant.Changed(a, b)&^participant.FieldCreatedAt != 0
}

func same(a, b []participant.Participant) error {
	held := byID(b)
	if len(a) != len(b) {
		return fmt.Errorf("%d in one roster, %d in the other", len(a), len(b))
	}
	for _, p := range a {
		if differ(p, held[p.ID]) {
			return fmt.Errorf("%+v in one roster, %+v in the other", p, held[p.ID])
		}
	}
	return nil
}

// positionOf reads a resume token of the present format.
func positionOf(token string) (p feed.Position, err error) {
	_, encoded, _ := strings.Cut(token, ".")
	body, err := base64.RawURLEncoding.DecodeString(encoded)
	const filterHash = 16
	if err != nil || len(body) < len(p.Epoch)+filterHash+1 {
		return p, errors.New("no token: " + token)
	}
	copy(p.Epoch[:], body)
	p.Seq, _ = binary.Uvarint(body[len(p.Epoch)+filterHash:])
	return p, nil
}

// unseen gives the positions of the entries that were not given before.
func (l *ledger) unseen() []feed.Position {
	fresh := l.fresh
	l.fresh = nil
	return fresh
}

// checkTruth says whether something that a poll told did happen, and when it is said
// to have (W6, W8, and the bounds of a batch). A list that lags shows what was so long
// ago at most.
func checkTruth(t *truth, entry feed.Entry, change roster.Change, lag time.Duration) error {
	from, until := entry.NotBefore.Add(-lag), entry.NotAfter
	var id string
	var happened bool
	switch {
	case change.After == nil:
		id = change.Before.ID
		happened = t.became(id, from, until, func(status string) bool { return status == gone }) ||
			change.ByWrite && t.became(id, from, until, over) ||
			change.ByWrite && change.Before.Status.Ended() // The call was over, and the Remove takes it out.
	case change.Before == nil:
		id = change.After.ID
		happened = t.became(id, from, until, func(status string) bool { return status != gone }) ||
			t.became(id, from, until, func(status string) bool { return !over(status) })
	case change.Before.Status != change.After.Status:
		id = change.After.ID
		happened = t.became(id, from, until, func(status string) bool { return status == string(change.After.Status) })
	default:
		return nil
	}
	if happened {
		return nil
	}
	return fmt.Errorf("invented: %s, said to be within %s; %s lived %+v", told(change), bounds(entry), id, t.lives[id])
}

func over(status string) bool {
	return status == gone || participant.Status(status).Ended()
}

func told(change roster.Change) string {
	word := func(p *participant.Participant) string {
		if p == nil {
			return "nobody"
		}
		return p.ID + " " + string(p.Status)
	}
	return word(change.Before) + " > " + word(change.After)
}

func bounds(entry feed.Entry) string {
	return entry.NotBefore.Format(clock) + ".." + entry.NotAfter.Format(clock)
}

const clock = "04:05.000"
