package sharedlog

import "time"

// Epoch identifies one log: random bits.
type Epoch [16]byte

// Head is the end of a log. The zero Head is that of no log.
type Head struct {
	Epoch Epoch
	// Seq is the number of the last batch that changed a member.
	Seq uint64
	// Commits is the number of all batches: also lists that changed nothing count.
	Commits uint64
}

// Batch is one list or one write, to be appended.
type Batch struct {
	// ID is unique (Logs.NewID). To append a batch again, after an error, is safe.
	ID string
	// Expected is the head on which the batch was planned.
	Expected Head
	// Lease is the one under which a poll was made; nil for a write. Listed reports that the
	// poll read a list. Answered is when a write was answered, in Redis' time.
	Lease    *Lease
	Listed   bool
	Answered time.Time
	// Clock is the latest logical time that the author knows.
	Clock uint64
	// Entry is what followers fold, with Changes visible changes: 0 if the batch is not to
	// be kept in the history.
	Entry   []byte
	Changes int
	// Members are the new states of all members that changed, Forgotten the ids to drop. A
	// batch without Members and without Changes takes no sequence number.
	Members   map[string][]byte
	Forgotten []string
	// Marks and Status replace the last ones, unless they are empty. Writes leave them empty,
	// but a Base has no last ones.
	Marks, Status []byte
	// Floor drops the entries up to this sequence number from the history.
	Floor uint64
	// Base makes the batch begin a new log with a new epoch: Members are all members, and
	// nothing is kept in the history. It replaces no log but the expected one, and one that
	// cannot be used any more.
	Base bool
	// ListTick is Snapshot.ListTick for a Base that is not of a list; a list has its own.
	ListTick uint64
}

// Outcome is what became of a batch.
type Outcome string

// What becomes of a batch.
const (
	// Appended: the batch is at Result.Head, which follows Expected directly.
	Appended Outcome = "appended"
	// Repeated: the same batch was appended before. Followers get it, or have got it.
	Repeated Outcome = "repeated"
	// Conflict: the log's head is Result.Head, not the expected one. Followers get what
	// they lack; then the batch must be planned again, with a new ID.
	Conflict Outcome = "conflict"
	// Missing: there is no log that can be used. The batch must be planned as Base.
	Missing Outcome = "missing"
	// Fenced: the lease is lost, and the list with it.
	Fenced Outcome = "fenced"
	// TooOld: the write was answered too long ago. The poll brings what it changed.
	TooOld Outcome = "old"
)

// Result is the answer to Append.
type Result struct {
	Outcome Outcome
	Head    Head
	// Tick is the logical time of the commit, if the batch was appended.
	Tick uint64
}

// Commit is one batch of the log, as followers get it.
type Commit struct {
	Head Head
	// Floor is the sequence number up to which entries are no longer kept.
	Floor uint64
	// At is when it was appended, in Redis' time, and Tick in logical time.
	At            time.Time
	Tick          uint64
	ID            string
	Entry         []byte
	Changes       int
	Members       map[string][]byte
	Forgotten     []string
	Marks, Status []byte
}

// State is what Load has found.
type State string

// What Load finds.
const (
	// Loaded: the snapshot replaces what the caller has.
	Loaded State = "loaded"
	// Unchanged: the caller has loaded this head already.
	Unchanged State = "unchanged"
	// Absent: there is no log that can be used.
	Absent State = "missing"
	// Unreadable: the log at this head contains what this version cannot read. A batch with
	// Base replaces it.
	Unreadable State = "unreadable"
)

// Snapshot is the whole log at one moment.
type Snapshot struct {
	State State
	Head  Head
	// Floor is the sequence number up to which entries are no longer kept.
	Floor uint64
	// ListTick is the logical time at which the last list was appended, unchanged lists too.
	ListTick      uint64
	Marks, Status []byte
	// Entries are the kept entries with visible changes. If the caller's head was of the
	// same epoch, they are those after it.
	Entries []Entry
	Members map[string][]byte
}

// Entry is a batch with visible changes, as the history keeps it.
type Entry struct {
	Seq     uint64
	At      time.Time
	ID      string
	Changes int
	Entry   []byte
}
