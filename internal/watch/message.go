package watch

import (
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Message is one message of a stream. Subscribers with equal filters share it, so it never
// changes.
type Message struct {
	// Token is the resume token of the position after this message. Before the first
	// snapshot or replay it is the client's own token.
	Token string

	// Exactly one of these is set.
	Snapshot   *Snapshot
	Changes    *Changes
	Checkpoint *Checkpoint
	End        *End

	// MaskNumbers means that clients get the participants masked (A13).
	MaskNumbers bool

	encodings [formats]encoding
	shared    shared
	// rendering counts the memory of the encodings; nil for a message of one subscriber.
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

// Snapshot is the filtered roster, sorted by id.
type Snapshot struct {
	Participants []participant.Participant
	Total        int
	Active       int
	Reason       SnapshotReason
	ObservedAt   time.Time
}

// ChangeKind is the kind of a change as seen through the filter.
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
	// Participant is the state after the change, or the last known state if removed.
	Participant participant.Participant
	// Before is nil only if the participant joined the roster.
	Before *participant.Participant
	// ByWrite reports that the change comes from a write through this gateway, not from a poll.
	ByWrite bool
}

// Changes are the changes of one poll or one write.
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

// Checkpoint reports whether the roster is fresh.
type Checkpoint struct {
	// StaleReason is empty when fresh.
	StaleReason apierror.Reason
	Stale       bool
	// LastSuccess is zero if no list was read yet.
	LastSuccess time.Time
	// Counts is nil before the first snapshot or replay.
	Counts       *Counts
	PollInterval time.Duration
}

// End reports that the conference no longer exists.
type End struct{}
