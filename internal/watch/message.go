package watch

import (
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Message is one message of a stream. Subscribers with equal filters share it, so
// it is not changed once made.
type Message struct {
	// Token is the position after this message; before the first snapshot or replay
	// it is what the client came with.
	Token string

	// Exactly one of these is set.
	Snapshot   *Snapshot
	Changes    *Changes
	Checkpoint *Checkpoint
	End        *End

	encodings [formats]encoding
	// rendering counts what the encodings take; nil for the message of one subscriber.
	rendering *rendering
}

// SnapshotReason is why a snapshot was sent.
type SnapshotReason uint8

// The reasons for a snapshot.
const (
	Initial SnapshotReason = iota + 1
	ResumeExpired
	FilterChanged
	Lagged
)

// Snapshot is the whole roster that passes the filter, sorted by id.
type Snapshot struct {
	Participants []participant.Participant
	Total        int
	Active       int
	Reason       SnapshotReason
	ObservedAt   time.Time
}

// ChangeKind is what happened to a participant as seen through the filter.
type ChangeKind uint8

// The kinds of change.
const (
	Added ChangeKind = iota + 1
	Updated
	Removed
	LeftFilter
)

// Change is one participant's change.
type Change struct {
	Kind ChangeKind
	// Participant is after the change, or as last known where it was removed.
	Participant participant.Participant
	// Before is nil only where the participant joined the roster.
	Before *participant.Participant
	// ByWrite says that a write through this gateway told, and no poll.
	ByWrite bool
}

// Changes is one poll's or one write's changes.
type Changes struct {
	Changes   []Change
	NotBefore time.Time
	NotAfter  time.Time
}

// Counts are of the roster (Total, Active) and of the filtered roster (Visible).
type Counts struct {
	Total   int
	Active  int
	Visible int
}

// Checkpoint tells how fresh the roster is.
type Checkpoint struct {
	// StaleReason is empty when fresh.
	StaleReason apierror.Reason
	Stale       bool
	// LastSuccess is zero where no list was read yet.
	LastSuccess time.Time
	// Counts is nil before the first snapshot or replay.
	Counts       *Counts
	PollInterval time.Duration
}

// End says that the conference is gone.
type End struct{}
