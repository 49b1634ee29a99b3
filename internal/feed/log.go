package feed

import (
	"crypto/rand"
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

// log is the sequence of a conference's entries, as far back as they are kept.
type log struct {
	head Position
	// entries are the latest entries with visible changes. States share its array: it is
	// appended to and cut at the front, and its elements never change.
	entries []Entry
	// floor is the sequence number of the newest such entry that is no longer kept.
	floor uint64
	// changes is the number of changes in entries, maxChanges how many are kept.
	changes, maxChanges int
}

func newLog(maxChanges int) *log {
	l := &log{maxChanges: maxChanges}
	// Read never fails: the runtime ends the process instead.
	_, _ = rand.Read(l.head.Epoch[:])
	return l
}

// append gives the batch the next sequence number. It returns the entry, or nil if watchers
// see no change: such a batch takes a number and no history. This is where replicas attach:
// a shared log compares the head and a fencing term before it appends, and if it refuses, the
// batch was only planned. The entry keeps only what watchers see: the members' states are not
// bounded by the changes (W12).
func (l *log) append(batch roster.Batch, now time.Time) *Entry {
	l.head.Seq++
	if len(batch.Changes) == 0 {
		return nil
	}
	entry := Entry{Batch: batch.Visible(), Seq: l.head.Seq, At: now}
	l.entries = append(l.entries, entry)
	l.changes += len(batch.Changes)
	return &entry
}

// trim drops entries that exceed the history's age or number of changes. It keeps the
// newest entry even if that alone has too many changes: live watchers still need it.
func (l *log) trim(now time.Time) {
	cut := 0
	for cut < len(l.entries) {
		entry := &l.entries[cut]
		tooMany := l.changes > l.maxChanges && cut < len(l.entries)-1
		if !tooMany && now.Sub(entry.At) <= maxHistoryAge {
			break
		}
		l.changes -= len(entry.Changes)
		l.floor = entry.Seq
		cut++
	}
	l.entries = l.entries[cut:]
	if len(l.entries) == 0 {
		l.entries = nil // Frees the array.
	}
}
