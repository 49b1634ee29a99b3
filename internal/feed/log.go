package feed

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// Log is the log of one conference: in memory, or shared with other processes. A feed has a
// copy of it, and changes nothing that the log has not accepted.
type Log interface {
	// Tick advances the conference's logical clock (W5) and returns its new time: later than
	// all times that any process got before, and than atLeast. It fails soon if the log does not
	// answer: a call waits for it.
	Tick(ctx context.Context, atLeast roster.LogicalTime) (roster.LogicalTime, error)
	// Append appends a draft, if the log's head is the expected one and its author may append.
	// After an error the draft may be in the log or not; followers get it then.
	Append(ctx context.Context, draft *Draft) (Result, error)
	// Load returns the log as it is now. If its head is since, the snapshot is Unchanged.
	Load(ctx context.Context, since Head) (Snapshot, error)
	// Follow calls receive with a snapshot, and then with what others, and this process, append:
	// commits in order and without a gap, or again a snapshot. It returns when ctx ends, or
	// after the first snapshot if nobody else appends. The callbacks come one after the other.
	Follow(ctx context.Context, receive func(Update))
	// Lead waits until this process is the one that polls the conference. It fails only if ctx
	// ends.
	Lead(ctx context.Context) (Lease, error)
}

// Logs are the logs of all conferences.
type Logs interface {
	// Open returns the log of a conference. It does not wait.
	Open(key participant.Key) Log
	// Request passes a request to the process that polls the conference, if there is one.
	Request(ctx context.Context, key participant.Key, request Request)
	// Reachable reports whether the logs can be reached. The channel is closed when that
	// changes.
	Reachable() (reachable bool, changed <-chan struct{})
	// Ahead is by how much the clock of the logs is ahead of this process' clock. All times in
	// a log are of its clock (R12).
	Ahead() time.Duration
}

// Lease is the right to poll a conference.
type Lease interface {
	// Context ends when the lease is lost or released.
	Context() context.Context
	// Head was the log's head when the lease began; zero if there was no log.
	Head() Head
	// Release lets another process poll.
	Release()
}

// Head is the end of a log. The zero Head is that of no log.
type Head struct {
	Position

	// Commits counts all commits: also those without a sequence number.
	Commits uint64
}

// Draft is a batch to be appended, with what a poll learned.
type Draft struct {
	// Expected is the head on which the batch was planned.
	Expected Head
	// Lease is the one under which a poll was made; nil for a write. Answered is when a write
	// was answered.
	Lease    Lease
	Answered time.Time
	// Clock is the latest logical time that the author knows.
	Clock roster.LogicalTime
	Batch roster.Batch
	// Status is set for a poll.
	Status *Status
	// Base is the whole roster after the batch if the draft begins a new log. It replaces the
	// expected log, and one that cannot be used.
	Base *roster.Batch
	// Floor is the sequence number up to which entries are no longer kept.
	Floor uint64

	// planned is the feed's head when it planned the batch.
	planned Head
}

// Outcome is what became of a draft.
type Outcome uint8

// What becomes of a draft.
const (
	// Appended: the draft is at Result.Head.
	Appended Outcome = iota + 1
	// Repeated: the draft was appended before, and followers get it, or have got it.
	Repeated
	// Conflict: the log's head is Result.Head. Followers get what they lack.
	Conflict
	// Missing: there is no log that can be used. The draft must begin a new one.
	Missing
	// Refused: the lease is lost, or the write too old.
	Refused
)

// Result is the answer to Append.
type Result struct {
	Outcome Outcome
	Head    Head
	// Tick is the logical time of the commit.
	Tick roster.LogicalTime
}

// Update is one thing that a follower receives: exactly one field is set.
type Update struct {
	Snapshot *Snapshot
	Commit   *Commit
	Request  Request
}

// Commit is a draft that was appended.
type Commit struct {
	Head Head
	Tick roster.LogicalTime
	At   time.Time
	// Batch has marks only if it is of a list.
	Batch roster.Batch
	// Status is set for a poll.
	Status *Status
}

// Snapshot is a whole log.
type Snapshot struct {
	State SnapshotState
	Head  Head
	// Roster makes an empty roster equal to that of the log.
	Roster roster.Batch
	// Entries are the kept entries with visible changes. If the caller's head was of the same
	// log, they can be those after it. Floor is the number of the newest that is not kept.
	Entries []Entry
	Floor   uint64
	// Status is that of the last poll; nil if there was none.
	Status *Status
}

// SnapshotState is what Load has found.
type SnapshotState uint8

// What Load finds.
const (
	// Loaded: the snapshot has the log.
	Loaded SnapshotState = iota + 1
	// Unchanged: the log's head is the caller's.
	Unchanged
	// Absent: there is no log that can be used.
	Absent
	// Unreadable: the log at Head cannot be read. A draft with a base replaces it.
	Unreadable
)

// Request asks the process that polls a conference for something.
type Request uint8

// What can be asked for.
const (
	// ListSoon: read the next list as early as after a write.
	ListSoon Request = iota + 1
	// ListEarly: read the next list before it is due (A12).
	ListEarly
	// PublishStatus: publish how fresh the roster is.
	PublishStatus
	// BeginLog: begin a new log, because another process cannot read this one (R11).
	BeginLog
)
