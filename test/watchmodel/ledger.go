package watchmodel

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

// Ledger keeps the roster of every position of the gateway's logs. For each state that it
// takes, it goes back through the log to a position that it knows. So it also checks that the
// entries lead from one roster to the next, and that all feeds of a log agree. A position
// between two entries has the roster of the earlier entry.
type Ledger struct {
	// Entries are those of all logs.
	Entries map[feed.Position]feed.Entry

	rosters map[feed.Position][]participant.Participant
	// fresh are the positions of the entries that Unseen did not return yet.
	fresh []feed.Position
	// heads are the last known positions of each log.
	heads map[feed.Epoch]uint64
}

// NewLedger returns an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{
		Entries: map[feed.Position]feed.Entry{}, rosters: map[feed.Position][]participant.Participant{}, heads: map[feed.Epoch]uint64{},
	}
}

// Take adds a state, and checks the entries before it. A state that is not known, and nil, add
// nothing.
func (l *Ledger) Take(state *feed.State) error {
	if state == nil || !state.Known {
		return nil
	}
	epoch, people := state.Position.Epoch, state.People.Copy()
	head, begun := l.heads[epoch]
	l.heads[epoch] = max(head, state.Position.Seq)
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
		l.Entries[at] = entry
		l.fresh = append(l.fresh, at)
		before, err := undo(people, entry)
		switch {
		case err != nil && !begun:
			return nil // Before the first list there was no roster.
		case err != nil:
			return fmt.Errorf("entry %d: %w", entry.Seq, err)
		}
		people = before
	}
}

// Roster returns the roster of a position, and false if no log had the position.
func (l *Ledger) Roster(at feed.Position) ([]participant.Participant, bool) {
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

// Unseen returns the positions of the entries that it has not returned before.
func (l *Ledger) Unseen() []feed.Position {
	fresh := l.fresh
	l.fresh = nil
	return fresh
}

// undo returns the roster before an entry.
func undo(people []participant.Participant, entry feed.Entry) ([]participant.Participant, error) {
	held := ByID(people)
	for _, change := range entry.Changes {
		if change.After != nil {
			if differ(held[change.After.ID], *change.After) {
				return nil, fmt.Errorf("the change has %+v, but the roster has %+v", *change.After, held[change.After.ID])
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

// ByID returns participants by their ids.
func ByID(people []participant.Participant) map[string]participant.Participant {
	held := make(map[string]participant.Participant, len(people))
	for _, p := range people {
		held[p.ID] = p
	}
	return held
}

// differ reports whether two participants differ in a way that W2 does not allow.
func differ(a, b participant.Participant) bool {
	return a.ID != b.ID || participant.Changed(a, b) != 0 && !b.CreatedAt.IsZero() ||
		participant.Changed(a, b)&^participant.FieldCreatedAt != 0
}

func same(a, b []participant.Participant) error {
	held := ByID(b)
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

// PositionOf decodes a resume token of the current format.
func PositionOf(token string) (p feed.Position, err error) {
	_, encoded, _ := strings.Cut(token, ".")
	body, err := base64.RawURLEncoding.DecodeString(encoded)
	const filterHash = 16
	if err != nil || len(body) < len(p.Epoch)+filterHash+1 {
		return p, errors.New("invalid token: " + token)
	}
	copy(p.Epoch[:], body)
	p.Seq, _ = binary.Uvarint(body[len(p.Epoch)+filterHash:])
	return p, nil
}
