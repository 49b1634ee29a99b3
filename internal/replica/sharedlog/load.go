package sharedlog

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/audian/participant-gateway/internal/replica/redisconn"
)

// errReplaced is the error of a log that was replaced while it was loaded.
var errReplaced = errors.New("the log was replaced meanwhile")

// loadAttempts is how often a log is loaded that is replaced meanwhile.
const loadAttempts = 3

// Load returns the log as of one moment. since is what the caller has loaded before: its
// entries are not sent again.
func (l *Log) Load(ctx context.Context, since Head) (snapshot Snapshot, err error) {
	for range loadAttempts {
		snapshot, err = l.loadHead(ctx, since)
		if err == nil && snapshot.State == Loaded {
			err = l.loadEntries(ctx, since, &snapshot)
		}
		if !errors.Is(err, errReplaced) {
			break
		}
	}
	switch {
	case errors.Is(err, errUnreadable):
		return Snapshot{State: Unreadable, Head: snapshot.Head}, nil
	case err != nil:
		return Snapshot{}, fmt.Errorf("load: %w", err)
	}
	return snapshot, nil
}

// loadHead loads all but the entries.
func (l *Log) loadHead(ctx context.Context, since Head) (Snapshot, error) {
	reply, err := l.logs.conn.Run(ctx, loadScript, []string{l.keys.head, l.keys.members, l.keys.entries},
		hex.EncodeToString(since.Epoch[:]), since.Commits)
	if err != nil {
		return Snapshot{}, err
	}
	f := newFields(reply)
	snapshot := Snapshot{State: State(f.text())}
	switch snapshot.State {
	case Unchanged:
		snapshot.Head = since
	case Absent, Unreadable:
	case Loaded:
		snapshot.Head, snapshot.Floor, snapshot.ListTick = f.head(), f.number(), f.number()
		snapshot.Marks, snapshot.Status = f.bytes(), f.bytes()
		members := f.list()
		snapshot.Members = members.members(uint64(len(members.values) / 2))
	}
	return snapshot, f.err
}

// loadEntries loads the entries up to the snapshot's head. It does so after the script: a
// script that returns thousands of entries holds up Redis ten times as long. Entries do not
// change, but may have been trimmed, so that the floor is read again.
func (l *Log) loadEntries(ctx context.Context, since Head, snapshot *Snapshot) error {
	first := "-"
	if since.Epoch == snapshot.Head.Epoch {
		first = "(" + strconv.FormatUint(since.Seq, 10) + "-0"
	}
	var items *redis.XMessageSliceCmd
	var head *redis.SliceCmd
	_, err := l.logs.conn.Client().Pipelined(ctx, func(p redis.Pipeliner) error {
		items = p.XRange(ctx, l.keys.entries, first, strconv.FormatUint(snapshot.Head.Seq, 10))
		head = p.HMGet(ctx, l.keys.head, "epoch", "floor")
		return nil
	})
	switch {
	case err != nil && (errors.Is(err, redisconn.ErrUnavailable) || ctx.Err() != nil):
		return err //nolint:wrapcheck // Load wraps it.
	case err != nil || head.Val()[0] != hex.EncodeToString(snapshot.Head.Epoch[:]):
		return errReplaced
	}
	f := &fields{values: head.Val()[1:]}
	snapshot.Floor = f.number()
	snapshot.Entries, err = readEntries(items.Val())
	return errors.Join(f.err, err)
}

// readEntries reads the fields that append.lua writes.
func readEntries(items []redis.XMessage) ([]Entry, error) {
	entries := make([]Entry, 0, len(items))
	for _, item := range items {
		seq, _, _ := strings.Cut(item.ID, "-")
		f := &fields{values: []any{seq, item.Values["at"], item.Values["id"], item.Values["changes"], item.Values["entry"]}}
		entries = append(entries, Entry{Seq: f.number(), At: f.time(), ID: f.text(), Changes: int(f.number()), Entry: f.bytes()})
		if f.err != nil {
			return nil, f.err
		}
	}
	return entries, nil
}
