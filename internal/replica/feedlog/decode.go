package feedlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
	"github.com/audian/participant-gateway/internal/roster"
	"github.com/audian/participant-gateway/internal/roster/encoding"
)

// decodeCommit decodes a commit. One that cannot be read makes the log unreadable, so that the
// next list begins another (R11).
func (l *log) decodeCommit(ctx context.Context, c *sharedlog.Commit) feed.Update {
	commit := feed.Commit{Head: decodeHead(c.Head), Tick: roster.LogicalTime(c.Tick), At: c.At}
	if draft := l.pendingDraft(c.ID); draft != nil {
		commit.Batch, commit.Status = draft.Batch, draft.Status
		return feed.Update{Commit: &commit}
	}
	var err error
	if commit.Status, err = decodeStatus(c.Status); err == nil {
		commit.Batch, err = l.decodeBatch(c)
	}
	if err != nil {
		return feed.Update{Snapshot: l.unreadable(ctx, commit.Head, err)}
	}
	return feed.Update{Commit: &commit}
}

// pendingDraft returns the draft that is being appended with an id; nil if there is none.
func (l *log) pendingDraft(id string) *feed.Draft {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pendingID != id || id == "" {
		return nil
	}
	return l.pending
}

func (l *log) decodeBatch(c *sharedlog.Commit) (batch roster.Batch, err error) {
	if len(c.Entry) > 0 {
		if batch, err = encoding.DecodeBatch(l.conference, c.Entry); err != nil {
			return batch, fmt.Errorf("decode an entry: %w", err)
		}
	}
	if len(c.Marks) > 0 {
		if batch.Marks, err = encoding.DecodeMarks(c.Marks); err != nil {
			return batch, fmt.Errorf("decode the marks: %w", err)
		}
	}
	batch.Dropped = c.Forgotten
	batch.Members, err = l.decodeMembers(c.Members)
	return batch, err
}

// decodeMembers decodes members, sorted by id.
func (l *log) decodeMembers(encoded map[string][]byte) ([]roster.Member, error) {
	members := make([]roster.Member, 0, len(encoded))
	for id, data := range encoded {
		member, err := encoding.DecodeMember(l.conference, data)
		if err != nil {
			return nil, fmt.Errorf("decode a member: %w", err)
		}
		if member.Participant.ID != id {
			return nil, errors.New("decode a member: it has another id")
		}
		members = append(members, member)
	}
	slices.SortFunc(members, func(a, b roster.Member) int { return strings.Compare(a.Participant.ID, b.Participant.ID) })
	return members, nil
}

var snapshotStates = map[sharedlog.State]feed.SnapshotState{
	sharedlog.Loaded:     feed.Loaded,
	sharedlog.Unchanged:  feed.Unchanged,
	sharedlog.Absent:     feed.Absent,
	sharedlog.Unreadable: feed.Unreadable,
}

func (l *log) decodeSnapshot(ctx context.Context, s sharedlog.Snapshot) feed.Snapshot {
	snapshot := feed.Snapshot{State: snapshotStates[s.State], Head: decodeHead(s.Head), Floor: s.Floor}
	if s.State != sharedlog.Loaded {
		return snapshot
	}
	err := l.decodeLog(s, &snapshot)
	if err != nil {
		return *l.unreadable(ctx, snapshot.Head, err)
	}
	return snapshot
}

func (l *log) decodeLog(s sharedlog.Snapshot, snapshot *feed.Snapshot) (err error) {
	if snapshot.Status, err = decodeStatus(s.Status); err != nil {
		return err
	}
	if snapshot.Roster.Marks, err = encoding.DecodeMarks(s.Marks); err != nil {
		return fmt.Errorf("decode the marks: %w", err)
	}
	if snapshot.Roster.Marks.Known {
		snapshot.Roster.Marks.LastList = roster.LogicalTime(s.ListTick)
	}
	if snapshot.Roster.Members, err = l.decodeMembers(s.Members); err != nil {
		return err
	}
	for _, e := range s.Entries {
		batch, err := encoding.DecodeBatch(l.conference, e.Entry)
		if err != nil {
			return fmt.Errorf("decode an entry: %w", err)
		}
		snapshot.Entries = append(snapshot.Entries, feed.Entry{Batch: batch, Seq: e.Seq, At: e.At})
	}
	return nil
}

// unreadable returns the snapshot of a log that cannot be read, and logs why.
func (l *log) unreadable(ctx context.Context, head feed.Head, err error) *feed.Snapshot {
	l.logger.WarnContext(ctx, "the shared log cannot be read; the next list begins another", slog.String("error", err.Error()))
	return &feed.Snapshot{State: feed.Unreadable, Head: head}
}

// decodeStatus decodes a status; nil for none.
func decodeStatus(data []byte) (*feed.Status, error) {
	if len(data) == 0 {
		return nil, nil //nolint:nilnil // No status is no error.
	}
	if data[0] != statusVersion {
		return nil, errors.New("decode a status: not of this version")
	}
	status := &feed.Status{}
	if err := json.Unmarshal(data[1:], status, options); err != nil {
		return nil, fmt.Errorf("decode a status: %w", err)
	}
	return status, nil
}
