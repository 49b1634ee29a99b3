package roster

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Change is the change of one participant: Before is nil if they joined the roster, After
// is nil if they left it.
type Change struct {
	Before *participant.Participant `json:"b"`
	After  *participant.Participant `json:"a"`
	// ByWrite reports that the change comes from a write, not from a list.
	ByWrite bool `json:"w"`
}

// Batch is the effect of one list or one write on the roster: a plain value, which nobody
// changes. It contains everything that a copy of the roster needs (but see Member.DurationAt).
type Batch struct {
	// Changes are the changes that watchers see. A batch without any can still change
	// Members.
	Changes []Change `json:"c"`
	// Members are the new states of all members that changed, also in ways that watchers
	// do not see: pending writes, missed lists (W7), a first created_at. They are sorted by id.
	Members []Member `json:"m"`
	// Dropped are the ids that are no longer kept, sorted.
	Dropped []string `json:"d"`
	// Marks are the new marks.
	Marks Marks `json:"k"`
	// All Changes happened between NotBefore and NotAfter. NotBefore is zero if no list has
	// proved that a participant who joins now was absent before.
	NotBefore time.Time `json:"nb"`
	NotAfter  time.Time `json:"na"`
	// Total and Active are the counts after the batch.
	Total  int `json:"t"`
	Active int `json:"n"`
	// Complete reports that the batch comes from a list that contained everybody.
	Complete bool `json:"f"`
	// LearnedSurplus is the surplus that the roster learned from this list (W7); 0 if none.
	LearnedSurplus int `json:"s"`

	// items are those of the list that was planned. The roster that planned it takes their
	// durations.
	items []participant.Item
}

// Marks are what the roster knows besides its members. Each list replaces them.
type Marks struct {
	// Known reports that a list was applied.
	Known bool `json:"k"`
	// LastList is when the latest list was applied, and LastListAt when it began.
	LastList   LogicalTime `json:"l"`
	LastListAt time.Time   `json:"la"`
	// AbsentAt is when the latest list began that proved the absence of every id that it did
	// not contain; zero if none has.
	AbsentAt time.Time `json:"aa"`
	// PlaceholderSince is when the first of consecutive placeholder lists began (W7); zero
	// if the last complete list was no placeholder.
	PlaceholderSince time.Time `json:"ps"`
	// Surplus is what the lists have taught about the upstream's total (W7).
	Surplus Surplus `json:"s"`
}

// Empty reports whether the batch changed no member, visible or not. It can have new Marks.
func (b Batch) Empty() bool { return len(b.Members) == 0 && len(b.Dropped) == 0 }

// Visible returns the batch with only what watchers need: its size is bounded by the changes.
func (b Batch) Visible() Batch {
	b.Members, b.Dropped, b.Marks, b.items = nil, nil, Marks{}, nil
	return b
}
