package upstream

import (
	"context"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// sharedReadInterval is the least time between the starts of two reads of one conference.
const sharedReadInterval = time.Second

// sharedReads reads lists for several calls. All calls for a conference that arrive before a
// read begins share its list, so that no call gets a list that began before the call.
type sharedReads struct {
	// read reads a list, and calls begun just before its first request is sent.
	read func(ctx context.Context, conference string, begun func()) (participant.List, error)
	// nextAfterEnd lets a read begin within the interval if the one before has ended.
	nextAfterEnd bool
	// gather is how long a read waits for further calls after the last one that joined it,
	// and maxGather how long at most after the first.
	gather, maxGather time.Duration

	mu          sync.Mutex
	conferences map[string]*conferenceReads
}

// conferenceReads are the reads of one conference.
type conferenceReads struct {
	// next is the read that has not begun yet; nil if no call waits for one.
	next *sharedRead
	// began is when the last read began, and ended is closed when it has ended. ended is nil if
	// the next read does not wait for that.
	began time.Time
	ended <-chan struct{}
}

// sharedRead is one read, and the number of calls that wait for it.
type sharedRead struct {
	waiting int
	// firstJoin and lastJoin are when calls joined, and deadline is the latest of theirs.
	firstJoin, lastJoin, deadline time.Time
	cancel                        context.CancelFunc
	done                          chan struct{}
	list                          participant.List
	err                           error
}

// do waits for a list that begins after the call.
func (r *sharedReads) do(ctx context.Context, conference string) (participant.List, error) {
	if ctx.Err() != nil {
		return participant.List{}, pollWaitEnded(ctx)
	}
	read := r.join(ctx, conference)
	select {
	case <-read.done:
		return read.list, read.err
	case <-ctx.Done():
		r.leave(conference, read)
		return participant.List{}, pollWaitEnded(ctx)
	}
}

// join joins the conference's next read, and starts it if there is none.
func (r *sharedReads) join(ctx context.Context, conference string) *sharedRead {
	r.mu.Lock()
	defer r.mu.Unlock()
	reader := r.conferences[conference]
	if reader == nil {
		if r.conferences == nil {
			r.conferences = map[string]*conferenceReads{}
		}
		reader = &conferenceReads{}
		r.conferences[conference] = reader
	}
	if reader.next == nil {
		// The read ends when the last of the calls that wait for it leaves.
		detached, cancel := context.WithCancel(context.WithoutCancel(ctx))
		reader.next = &sharedRead{firstJoin: time.Now(), cancel: cancel, done: make(chan struct{})}
		go r.run(r.withDeadline(detached, reader.next), conference, reader, reader.next)
	}
	reader.next.join(ctx)
	return reader.next
}

// farDeadline is the deadline of a call that has none.
const farDeadline = 24 * time.Hour

// join adds a call. The lock is held.
func (read *sharedRead) join(ctx context.Context) {
	read.waiting++
	read.lastJoin = time.Now()
	deadline, bounded := ctx.Deadline()
	if !bounded {
		deadline = read.lastJoin.Add(farDeadline)
	}
	read.deadline = latest(read.deadline, deadline)
}

// withDeadline returns ctx with the deadline of a read.
func (r *sharedReads) withDeadline(ctx context.Context, read *sharedRead) context.Context {
	return sharedContext{ctx, r, read}
}

// sharedContext is the context of a read. Its deadline is the latest of the calls that joined
// the read, so that no retry waits for longer.
type sharedContext struct {
	context.Context //nolint:containedctx // It is that context with another deadline.

	reads *sharedReads
	read  *sharedRead
}

// Deadline returns the latest deadline of the calls.
func (c sharedContext) Deadline() (deadline time.Time, bounded bool) {
	c.reads.mu.Lock()
	defer c.reads.mu.Unlock()
	return c.read.deadline, true
}

// leave ends a call's wait for a read, and the read if no other call waits for it.
func (r *sharedReads) leave(conference string, read *sharedRead) {
	r.mu.Lock()
	defer r.mu.Unlock()
	read.waiting--
	if read.waiting > 0 {
		return
	}
	read.cancel()
	if reader := r.conferences[conference]; reader != nil && reader.next == read {
		reader.next = nil
	}
}

// run reads a list when the conference may be read again.
func (r *sharedReads) run(ctx context.Context, conference string, reader *conferenceReads, read *sharedRead) {
	defer close(read.done)
	defer read.cancel()
	if r.waitUntilDue(ctx, reader) && r.gatherCalls(ctx, read) {
		read.list, read.err = r.read(ctx, conference, func() { r.begin(reader, read) })
	} else {
		read.err = pollWaitEnded(ctx)
	}
	r.end(conference, reader, read)
}

// waitUntilDue waits until the conference may be read again. It returns false if ctx ends.
func (r *sharedReads) waitUntilDue(ctx context.Context, reader *conferenceReads) bool {
	r.mu.Lock()
	wait, ended := time.Until(reader.began.Add(sharedReadInterval)), reader.ended
	r.mu.Unlock()
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ended:
		return true
	case <-ctx.Done():
		return false
	}
}

// gatherCalls waits until no further call has joined the read for a while. It returns false if
// ctx ends.
func (r *sharedReads) gatherCalls(ctx context.Context, read *sharedRead) bool {
	for {
		r.mu.Lock()
		wait := min(time.Until(read.lastJoin.Add(r.gather)), time.Until(read.firstJoin.Add(r.maxGather)))
		r.mu.Unlock()
		if wait <= 0 {
			return ctx.Err() == nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return false
		}
	}
}

// begin notes that a read begins: later calls wait for another.
func (r *sharedReads) begin(reader *conferenceReads, read *sharedRead) {
	r.mu.Lock()
	defer r.mu.Unlock()
	reader.began = time.Now()
	if r.nextAfterEnd {
		reader.ended = read.done
	}
	if reader.next == read {
		reader.next = nil
	}
}

// end notes that a read is over, and drops the conference after the interval.
func (r *sharedReads) end(conference string, reader *conferenceReads, read *sharedRead) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if reader.next == read {
		reader.next = nil
	}
	if reader.next != nil {
		return
	}
	time.AfterFunc(time.Until(reader.began.Add(sharedReadInterval)), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if reader.next == nil && time.Since(reader.began) >= sharedReadInterval && r.conferences[conference] == reader {
			delete(r.conferences, conference)
		}
	})
}
