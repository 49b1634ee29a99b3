package feed

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// memoryLogs are the logs of a process that shares nothing: each feed begins a new log, and
// only this process appends.
type memoryLogs struct{ clock atomic.Uint64 }

func (l *memoryLogs) Open(participant.Key) Log { return &memoryLog{clock: &l.clock} }

func (l *memoryLogs) Request(context.Context, participant.Key, Request) {}

func (l *memoryLogs) Reachable() (reachable bool, changed <-chan struct{}) { return true, nil }

func (l *memoryLogs) Ahead() time.Duration { return 0 }

// memoryLog numbers the commits of one feed. The feed has all that they contain.
type memoryLog struct {
	clock *atomic.Uint64
	head  Head
}

func (l *memoryLog) Tick(context.Context, roster.LogicalTime) (roster.LogicalTime, error) {
	return roster.LogicalTime(l.clock.Add(1)), nil
}

func (l *memoryLog) Append(_ context.Context, draft *Draft) (Result, error) {
	l.head.Commits++
	if !draft.Batch.Empty() {
		l.head.Seq++
	}
	return Result{Outcome: Appended, Head: l.head, Tick: roster.LogicalTime(l.clock.Add(1))}, nil
}

// Load finds no log until the feed has begun one.
func (l *memoryLog) Load(context.Context, Head) (Snapshot, error) {
	if l.head.Epoch == (Epoch{}) {
		return Snapshot{State: Absent}, nil
	}
	return Snapshot{State: Unchanged}, nil
}

// Follow begins the log.
func (l *memoryLog) Follow(_ context.Context, receive func(Update)) {
	if l.head.Epoch == (Epoch{}) {
		// Read never fails: the runtime ends the process instead.
		_, _ = rand.Read(l.head.Epoch[:])
	}
	receive(Update{Snapshot: &Snapshot{State: Loaded, Head: l.head}})
}

func (l *memoryLog) Lead(ctx context.Context) (Lease, error) { return memoryLease{ctx}, ctx.Err() }

// memoryLease is never lost.
type memoryLease struct{ ctx context.Context } //nolint:containedctx // A lease is a time in which to work.

func (l memoryLease) Context() context.Context { return l.ctx }

func (l memoryLease) Head() Head { return Head{} }

func (l memoryLease) Release() {}
