package rest

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

const (
	// SendTimeout is how long a write may make no progress because its client does not
	// read (W12).
	SendTimeout = 60 * time.Second
	// LastTimeout is how long the end of a stream may (W16).
	LastTimeout = 2 * time.Second
	// writeSize is how much the client has to take within that time.
	writeSize = 16 << 10
)

// TimedWriter is a ResponseWriter whose client has to read: a write that makes no
// progress for a time fails. It remembers the first failure, since not everybody who
// flushes asks what came of it; after it nothing more is written. Writes do not overlap.
type TimedWriter struct {
	http.ResponseWriter

	control *http.ResponseController
	failed  error
	// Progress, where set, is called with each part that was taken.
	Progress func()

	// mu is never held while anything is written.
	mu       sync.Mutex
	timeout  time.Duration
	deadline time.Time
	cut      bool
}

// NewTimedWriter returns a writer whose writes have SendTimeout.
func NewTimedWriter(w http.ResponseWriter) *TimedWriter {
	return &TimedWriter{ResponseWriter: w, control: http.NewResponseController(w), timeout: SendTimeout}
}

// Unwrap is for http.ResponseController.
func (t *TimedWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// Failed is why nothing more is written; nil while all is well.
func (t *TimedWriter) Failed() error { return t.failed }

// Write writes piece by piece, each of which has the whole time.
func (t *TimedWriter) Write(p []byte) (written int, err error) {
	for t.failed == nil {
		piece := p[written:min(len(p), written+writeSize)]
		t.arm()
		n, err := t.ResponseWriter.Write(piece)
		written += n
		t.note(err)
		if written == len(p) || err != nil {
			break
		}
		if t.Progress != nil {
			t.Progress()
		}
	}
	return written, t.failed
}

// Flush sends what was written. The deadline ends with it: over HTTP/2 one that passes
// between two messages would end the stream.
func (t *TimedWriter) Flush() {
	if t.failed != nil {
		return
	}
	t.arm()
	if err := t.control.Flush(); !errors.Is(err, http.ErrNotSupported) {
		t.note(err)
	}
	if t.failed == nil {
		t.disarm()
	}
}

// note keeps why a write failed: the client did not read in time, or is gone.
func (t *TimedWriter) note(err error) {
	if err == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Now().Before(t.deadline) {
		t.failed = &apierror.Error{Reason: apierror.Cancelled, Message: "the client is gone", Cause: err}
		return
	}
	t.failed = &apierror.Error{Reason: apierror.ClientBlocked, Message: "the client does not read", Cause: err}
}

// arm gives the next write its time, unless the answer is cut off.
func (t *TimedWriter) arm() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.cut {
		t.deadline = time.Now().Add(t.timeout)
		t.set(t.deadline)
	}
}

func (t *TimedWriter) disarm() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.cut {
		t.set(time.Time{})
	}
}

// Hurry leaves the client little time for what is still written.
func (t *TimedWriter) Hurry() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timeout = LastTimeout
}

// CutOff ends a write that is blocked, and all that follow. It may be called while
// another goroutine writes.
func (t *TimedWriter) CutOff() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut = true
	t.deadline = time.Now()
	t.set(t.deadline)
}

// set passes over a writer without deadlines, which is one of a test.
func (t *TimedWriter) set(deadline time.Time) { _ = t.control.SetWriteDeadline(deadline) }
