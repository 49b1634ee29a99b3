package upstream

import (
	"context"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// sharedReadInterval is the least time between the starts of two reads of one conference.
const sharedReadInterval = time.Second

// sharedReads reads lists for adds that lost their answer (A1). All calls for a conference that
// arrive before a read begins share its list.
type sharedReads struct {
	// read reads a list, and calls begun when its first request is granted.
	read func(ctx context.Context, conference string, begun func()) (participant.List, error)

	mu          sync.Mutex
	conferences map[string]*conferenceReads
}

// conferenceReads are the reads of one conference.
type conferenceReads struct {
	// next is the read that has not begun yet; nil if no call waits for one.
	next *sharedRead
	// began is when the last read began.
	began time.Time
}

// sharedRead is one read, and the number of calls that wait for it.
type sharedRead struct {
	waiting int
	cancel  context.CancelFunc
	done    chan struct{}
	list    participant.List
	err     error
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
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		reader.next = &sharedRead{cancel: cancel, done: make(chan struct{})}
		go r.run(ctx, conference, reader, reader.next)
	}
	reader.next.waiting++
	return reader.next
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

// run reads a list when the interval has passed.
func (r *sharedReads) run(ctx context.Context, conference string, reader *conferenceReads, read *sharedRead) {
	defer close(read.done)
	defer read.cancel()
	if r.waitUntilDue(ctx, reader) {
		read.list, read.err = r.read(ctx, conference, func() { r.begin(reader, read) })
	} else {
		read.err = pollWaitEnded(ctx)
	}
	r.end(conference, reader, read)
}

// waitUntilDue waits until the conference may be read again. It returns false if ctx ends.
func (r *sharedReads) waitUntilDue(ctx context.Context, reader *conferenceReads) bool {
	r.mu.Lock()
	wait := time.Until(reader.began.Add(sharedReadInterval))
	r.mu.Unlock()
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// begin notes that a read begins: later calls wait for another.
func (r *sharedReads) begin(reader *conferenceReads, read *sharedRead) {
	r.mu.Lock()
	defer r.mu.Unlock()
	reader.began = time.Now()
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
