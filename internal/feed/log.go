package feed

import (
	"crypto/rand"
	"time"

	"github.com/audian/participant-gateway/internal/roster"
)

// Epoch names one log, never the process: 128 random bits.
type Epoch [16]byte

// Position is a place in a log: after the entry with this sequence number.
type Position struct {
	Epoch Epoch
	Seq   uint64
}

// Entry is one batch of changes in its place: a plain value. The roster is the fold
// of its log; one without visible changes takes a sequence number and no history.
type Entry struct {
	roster.Batch

	Seq uint64
	// At is when the entry was appended.
	At time.Time
}

// keepFor is the longest that history is kept.
const keepFor = 10 * time.Minute

// log is a conference's order of entries, as far back as it is kept.
type log struct {
	head Position
	// entries are the last visible ones. Readers hold slices of it: it is appended to
	// and cut at the front, never changed.
	entries []Entry
	// floor is the sequence number of the newest visible entry that is kept no more.
	floor uint64
	// changes is how many changes the entries hold, history how many they may.
	changes, history int
}

func newLog(history int) *log {
	l := &log{history: history}
	// Read never fails: the runtime ends the process instead.
	_, _ = rand.Read(l.head.Epoch[:])
	return l
}

// append gives the batch the next sequence number, and returns its entry, nil where
// watchers see no change. Replicas will attach here: a shared log compares the head and
// a fencing term, and only then appends. Nobody reads the states of members from this
// log, so it keeps none: they are not bounded by the changes (W12).
func (l *log) append(batch roster.Batch, now time.Time) *Entry {
	l.head.Seq++
	if len(batch.Changes) == 0 {
		return nil
	}
	batch.Members = nil
	entry := Entry{Batch: batch, Seq: l.head.Seq, At: now}
	l.entries = append(l.entries, entry)
	l.changes += len(batch.Changes)
	return &entry
}

// trim cuts what is older or more than the history may be. The newest entry stays
// even where it alone is more: those who follow live are still to get it.
func (l *log) trim(now time.Time) {
	cut := 0
	for cut < len(l.entries) {
		entry := &l.entries[cut]
		tooMany := l.changes > l.history && cut < len(l.entries)-1
		if !tooMany && now.Sub(entry.At) <= keepFor {
			break
		}
		l.changes -= len(entry.Changes)
		l.floor = entry.Seq
		cut++
	}
	l.entries = l.entries[cut:]
	if len(l.entries) == 0 {
		l.entries = nil // What they held is held no more.
	}
}
