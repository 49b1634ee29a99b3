package sharedlog

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"
)

const (
	// leaseLife is how long a lease lasts that is not renewed.
	leaseLife = 2400 * time.Millisecond
	// leaveToOthers is how long a replica leaves a free lease to one that holds fewer.
	leaveToOthers = 150 * time.Millisecond
)

// Lease is the right to poll a conference. Its holder alone appends lists.
type Lease struct {
	// Term is larger than those of all earlier leases of the conference.
	Term uint64
	// Head was the log's head when the lease was taken; zero if there was no log.
	Head Head

	log *Log
	// lost is closed when the lease ends, expiry when it has not been renewed in time.
	lost   chan struct{}
	end    func()
	expiry *time.Timer
}

// Lost returns a channel that is closed when the lease has ended: it was released, Redis
// refused to renew it, or Redis was not reached for as long as a lease lasts.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Release ends the lease, and lets another replica take it at once. After an error it
// expires.
func (l *Lease) Release(ctx context.Context) error {
	l.log.logs.counting.RLock()
	defer l.log.logs.counting.RUnlock()
	l.end()
	k := l.log.keys
	_, err := l.log.logs.conn.Run(ctx, releaseScript, []string{k.lease, k.counts}, l.log.logs.replica, l.Term, k.channel)
	if err != nil {
		return fmt.Errorf("release a lease: %w", err)
	}
	return nil
}

// value is what the scripts compare; empty for no lease.
func (l *Lease) value() string {
	if l == nil {
		return ""
	}
	return l.log.logs.replica + " " + strconv.FormatUint(l.Term, 10)
}

// renewed extends the lease; Redis was asked to renew it at a time.
func (l *Lease) renewed(asked time.Time) { l.expiry.Reset(time.Until(asked.Add(leaseLife))) }

// Lead waits until this replica has the conference's lease, or ctx ends. Before it polls, the
// caller follows the log up to the lease's head: the marks and status contain what the last
// holder has learned. A lease is taken at once after a release only while Follow runs.
func (l *Log) Lead(ctx context.Context) (*Lease, error) {
	if l.logs.retired.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	done := l.logs.use(l)
	defer done()
	l.setWaiting(true)
	defer l.setWaiting(false)
	var left time.Time // Since when the lease is left to another replica.
	for {
		lease, state := l.take(ctx, !left.IsZero() && time.Since(left) >= leaveToOthers)
		if ctx.Err() != nil || l.logs.retired.Load() {
			return nil, l.abandon(ctx, lease)
		}
		wait := retryAfter
		switch state {
		case "held":
			return lease, nil
		case "waits":
			if left.IsZero() {
				left = time.Now()
			}
			wait = leaveToOthers - time.Since(left)
		case "taken":
			left, wait = time.Time{}, leaseLife // Messages and Run wake it earlier.
		}
		l.pause(ctx, wait)
	}
}

// take tries to take the lease. It ignores the end of ctx, so that a lease is known if it
// was taken. After an error the state is empty.
func (l *Log) take(ctx context.Context, force bool) (lease *Lease, state string) {
	l.logs.counting.RLock()
	defer l.logs.counting.RUnlock()
	asked, k := time.Now(), l.keys
	reply, err := l.logs.conn.Run(context.WithoutCancel(ctx), leadScript, []string{k.lease, k.present, k.clock, k.counts, k.head},
		l.logs.replica, leaseLife.Milliseconds(), k.channel, force)
	if err != nil {
		return nil, ""
	}
	f := newFields(reply)
	state = f.text()
	if state != "held" {
		return nil, state
	}
	term, poller := f.number(), f.text()
	if f.err != nil {
		return nil, ""
	}
	if l.logs.observer != nil {
		l.logs.observer.LeaseTaken(poller != "" && poller != l.logs.replica)
	}
	return l.hold(term, f.head(), asked), state
}

// hold begins a lease.
func (l *Log) hold(term uint64, head Head, asked time.Time) *Lease {
	lease := &Lease{Term: term, Head: head, log: l, lost: make(chan struct{})}
	done := l.logs.use(l)
	lease.end = sync.OnceFunc(func() {
		l.mu.Lock()
		if l.lease == lease {
			l.lease = nil
		}
		l.mu.Unlock()
		close(lease.lost)
		done()
	})
	lease.expiry = time.AfterFunc(time.Until(asked.Add(leaseLife)), lease.end)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lease = lease
	return lease
}

// abandon gives up a lease that was taken while ctx or the right to lead ended, and waits for
// the end of ctx.
func (l *Log) abandon(ctx context.Context, lease *Lease) error {
	if lease != nil {
		_ = lease.Release(context.WithoutCancel(ctx)) // Else it expires.
	}
	l.setWaiting(false)
	<-ctx.Done()
	return ctx.Err()
}

// Retire gives up all leases for good, so that other replicas take them at once (R4). Lead waits
// for the end of its context from now on.
func (l *Logs) Retire(ctx context.Context) {
	l.retired.Store(true)
	for _, log := range l.inUse() {
		notify(log.free)
		if lease := log.held(); lease != nil {
			_ = lease.Release(ctx) // Else it expires.
		}
	}
}

// pause waits for a time, or until the lease may be free or ctx ends.
func (l *Log) pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.free:
	case <-ctx.Done():
	}
}

func (l *Log) setWaiting(waiting bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = waiting
}
