package feed

import (
	"time"

	"github.com/audian/participant-gateway/internal/roster"
)

// Epoch identifies one log, never a process: 128 random bits.
type Epoch [16]byte

// Position is a place in a log: after the entry with this sequence number.
type Position struct {
	Epoch Epoch
	Seq   uint64
}

// Entry is one batch of changes with its sequence number: a plain value.
type Entry struct {
	roster.Batch

	Seq uint64
	// At is when the entry was appended.
	At time.Time
}

// maxHistoryAge is how long entries are kept.
const maxHistoryAge = 10 * time.Minute

// history is the end of a conference's log, as far back as it is kept.
type history struct {
	// entries are the latest entries with visible changes. States share its array: it is
	// appended to and cut at the front, and its elements never change.
	entries []Entry
	// floor is the sequence number of the newest such entry that is no longer kept.
	floor uint64
	// changes is the number of changes in entries, maxChanges how many are kept.
	changes, maxChanges int
}

// append adds the batch with a sequence number. It returns the entry, or nil if watchers see no
// change: such a batch takes a number and no history. The entry keeps neither members' states
// nor marks: they are not bounded by the changes (W12).
func (h *history) append(batch roster.Batch, seq uint64, at time.Time) *Entry {
	if len(batch.Changes) == 0 {
		return nil
	}
	entry := Entry{Batch: batch.Visible(), Seq: seq, At: at}
	h.add(entry)
	return &entry
}

func (h *history) add(entry Entry) {
	h.entries = append(h.entries, entry)
	h.changes += len(entry.Changes)
}

// restart drops all entries. What follows has larger numbers than floor.
func (h *history) restart(floor uint64) {
	h.entries, h.changes, h.floor = nil, 0, floor
}

// trim drops entries that exceed the history's age or number of changes. It keeps the
// newest entry even if that alone has too many changes: live watchers still need it.
func (h *history) trim(now time.Time) {
	cut := 0
	for cut < len(h.entries) {
		entry := &h.entries[cut]
		tooMany := h.changes > h.maxChanges && cut < len(h.entries)-1
		if !tooMany && now.Sub(entry.At) <= maxHistoryAge {
			break
		}
		h.changes -= len(entry.Changes)
		h.floor = entry.Seq
		cut++
	}
	h.entries = h.entries[cut:]
	if len(h.entries) == 0 {
		h.entries = nil // Frees the array.
	}
}
