package replicahistories_test

import (
	"context"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

// heldLogs are the logs of a replica that can be paused. A process that was stopped does not know
// that its lease is lost: when it goes on, it appends the list that it had read. So only Redis can
// refuse that list (R3).
type heldLogs struct {
	feed.Logs

	gate *gate
}

// wakeFor is how long a replica that goes on believes in its lease, unless its list is refused.
const wakeFor = 1500 * time.Millisecond

func (l heldLogs) Open(key participant.Key) feed.Log { return heldLog{l.Logs.Open(key), l.gate} }

type heldLog struct {
	feed.Log

	gate *gate
}

func (l heldLog) Lead(ctx context.Context) (feed.Lease, error) {
	lease, err := l.Log.Lead(ctx)
	if err != nil {
		return nil, err
	}
	held := &heldLease{Lease: lease, refused: make(chan struct{})}
	held.refuse = sync.OnceFunc(func() { close(held.refused) })
	held.ctx, held.stop = context.WithCancel(ctx)
	go held.awaitEnd(l.gate)
	return held, nil
}

func (l heldLog) Append(ctx context.Context, draft *feed.Draft) (feed.Result, error) {
	held, isList := draft.Lease.(*heldLease)
	if !isList {
		return l.Log.Append(ctx, draft)
	}
	unwrapped := *draft
	unwrapped.Lease = held.Lease
	result, err := l.Log.Append(ctx, &unwrapped)
	if err == nil && result.Outcome == feed.Refused {
		held.refuse()
	}
	return result, err
}

type heldLease struct {
	feed.Lease

	ctx    context.Context
	stop   context.CancelFunc
	refuse func()
	// refused is closed when Redis has refused a list under this lease.
	refused chan struct{}
}

func (l *heldLease) Context() context.Context { return l.ctx }

func (l *heldLease) Release() {
	l.stop()
	l.Lease.Release()
}

// awaitEnd ends the lease's context: later than the lease if the replica was paused.
func (l *heldLease) awaitEnd(g *gate) {
	defer l.stop()
	select {
	case <-l.Lease.Context().Done():
	case <-l.ctx.Done():
		return
	}
	if !g.stopped() || g.pass() != nil {
		return
	}
	select {
	case <-l.refused:
	case <-time.After(wakeFor):
	case <-l.ctx.Done():
	}
}
