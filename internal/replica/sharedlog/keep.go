package sharedlog

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// keepInterval is how often Run asks Redis. Every second time it renews, which is a
	// third of a lease's life.
	keepInterval = leaseLife / 6
	// keepChunk is the number of conferences in one call, so that no call is long.
	keepChunk = 64
)

// Run renews the leases of this replica, and notices what no message has brought: leases
// that have expired, and commits. It returns when ctx ends.
func (l *Logs) Run(ctx context.Context) {
	ticker := time.NewTicker(keepInterval)
	defer ticker.Stop()
	for renew := true; ; renew = !renew {
		l.keepAll(ctx, renew)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// keepAll looks after all logs in use. After an error the others wait for the next time. Without any
// it lets the other replicas know that this one holds no lease.
func (l *Logs) keepAll(ctx context.Context, renew bool) {
	all := l.inUse()
	if len(all) == 0 && renew {
		_ = l.keep(ctx, nil, renew) // The next time comes soon.
	}
	for logs := range slices.Chunk(all, keepChunk) {
		if l.keep(ctx, logs, renew) != nil {
			return
		}
	}
}

// keep looks after some logs with one call.
func (l *Logs) keep(ctx context.Context, logs []*Log, renew bool) error {
	if renew {
		l.counting.Lock()
		defer l.counting.Unlock()
	}
	keys := append(make([]string, 0, 1+3*len(logs)), l.prefix+":leases")
	args := append(make([]any, 0, 4+2*len(logs)), l.replica, l.Held(), leaseLife.Milliseconds(), renew)
	leases := make([]*Lease, len(logs))
	for i, log := range logs {
		lease, waiting := log.role()
		leases[i] = lease
		keys = append(keys, log.keys.head, log.keys.lease, log.keys.present)
		args = append(args, lease.value(), waiting)
	}
	asked := time.Now()
	reply, err := l.conn.Run(ctx, keepScript, keys, args...)
	if err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	f := newFields(reply)
	for i, log := range logs {
		log.kept(f.list(), leases[i], asked, renew)
	}
	return f.err
}

// role returns the lease held, or nil, and whether Lead waits for it.
func (l *Log) role() (held *Lease, waiting bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lease, l.waiting
}

// kept takes the results of one log.
func (l *Log) kept(f *fields, lease *Lease, asked time.Time, renew bool) {
	state := f.text()
	l.expect(f.head())
	switch {
	case state == "free":
		notify(l.free)
	case lease == nil:
	case state == "lost":
		lease.end()
	case state == "held" && renew:
		lease.renewed(asked)
	}
}
