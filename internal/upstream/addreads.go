package upstream

import (
	"context"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// addReadEvery is the time from read to read of one conference for the adds that are
// reconciled in it.
const addReadEvery = time.Second

// addReads are the lists that are read for lost adds (A1): one at a time is waited for in
// each conference, by all who came before it began.
type addReads struct {
	// read reads a list, and calls begun when it begins.
	read func(ctx context.Context, conference string, begun func()) (participant.List, error)

	mu          sync.Mutex
	conferences map[string]*addReader
}

// addReader is one conference with lost adds.
type addReader struct {
	// next is the read that has not begun yet; nil where nobody waits for one.
	next *addRead
	// began is when the last one began.
	began time.Time
}

// addRead is one read, and how many wait for it.
type addRead struct {
	waiting int
	cancel  context.CancelFunc
	done    chan struct{}
	list    participant.List
	err     error
}

// do waits for a list that begins after the call.
func (r *addReads) do(ctx context.Context, conference string) (participant.List, error) {
	if ctx.Err() != nil {
		return participant.List{}, ended(ctx)
	}
	read := r.join(ctx, conference)
	select {
	case <-read.done:
		return read.list, read.err
	case <-ctx.Done():
		r.leave(conference, read)
		return participant.List{}, ended(ctx)
	}
}

// join takes part in the conference's next read, begun where there is none.
func (r *addReads) join(ctx context.Context, conference string) *addRead {
	r.mu.Lock()
	defer r.mu.Unlock()
	reader := r.conferences[conference]
	if reader == nil {
		if r.conferences == nil {
			r.conferences = map[string]*addReader{}
		}
		reader = &addReader{}
		r.conferences[conference] = reader
	}
	if reader.next == nil {
		// The read is that of all who wait for it, and ends with the last of them.
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		reader.next = &addRead{cancel: cancel, done: make(chan struct{})}
		go r.run(ctx, conference, reader, reader.next)
	}
	reader.next.waiting++
	return reader.next
}

// leave gives a read up, which ends where nobody else waits for it.
func (r *addReads) leave(conference string, read *addRead) {
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

// run reads a list when its time has come.
func (r *addReads) run(ctx context.Context, conference string, reader *addReader, read *addRead) {
	defer close(read.done)
	defer read.cancel()
	if r.untilDue(ctx, reader) {
		read.list, read.err = r.read(ctx, conference, func() { r.begin(reader, read) })
	} else {
		read.err = ended(ctx)
	}
	r.end(conference, reader, read)
}

// untilDue waits until the conference may be read again; false when ctx has ended.
func (r *addReads) untilDue(ctx context.Context, reader *addReader) bool {
	r.mu.Lock()
	wait := time.Until(reader.began.Add(addReadEvery))
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

// begin notes that a read begins: whoever comes later waits for another.
func (r *addReads) begin(reader *addReader, read *addRead) {
	r.mu.Lock()
	defer r.mu.Unlock()
	reader.began = time.Now()
	if reader.next == read {
		reader.next = nil
	}
}

// end notes that a read is over, and forgets the conference once nobody can tell.
func (r *addReads) end(conference string, reader *addReader, read *addRead) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if reader.next == read {
		reader.next = nil
	}
	if reader.next != nil {
		return
	}
	time.AfterFunc(time.Until(reader.began.Add(addReadEvery)), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if reader.next == nil && time.Since(reader.began) >= addReadEvery && r.conferences[conference] == reader {
			delete(r.conferences, conference)
		}
	})
}
