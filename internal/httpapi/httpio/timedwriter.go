package httpio

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

// TimedWriter is a ResponseWriter whose client must read: a write that makes no progress
// for watch.SendTimeout fails, and nothing is written after it. Over HTTP/1 the last deadline
// also applies to what net/http sends after the handler. Writes must not overlap.
type TimedWriter struct {
	http.ResponseWriter

	control *http.ResponseController
	started bool
	failed  error
	// Progress, where set, is called with each part that was written.
	Progress func()

	// mu is never held during a write.
	mu       sync.Mutex
	timeout  time.Duration
	deadline time.Time
	cut      bool
}

// TimedWriterOf returns w itself where it is a TimedWriter, as it is behind WithDeadlines;
// otherwise a new one around it.
func TimedWriterOf(w http.ResponseWriter) *TimedWriter {
	if timed, ok := w.(*TimedWriter); ok {
		return timed
	}
	return &TimedWriter{ResponseWriter: w, control: http.NewResponseController(w), timeout: watch.SendTimeout}
}

// Unwrap is for http.ResponseController.
func (t *TimedWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// Started reports whether the response has started.
func (t *TimedWriter) Started() bool { return t.started }

// Failed returns the error of the first write that failed; nil if none did.
func (t *TimedWriter) Failed() error { return t.failed }

// WriteHeader starts the response.
func (t *TimedWriter) WriteHeader(status int) {
	t.started = true
	t.extend()
	t.ResponseWriter.WriteHeader(status)
}

// Write writes in parts. Each part has its own deadline.
func (t *TimedWriter) Write(p []byte) (written int, err error) {
	t.started = true
	for t.failed == nil {
		part := p[written:min(len(p), written+wire.PartSize)]
		t.extend()
		n, err := t.ResponseWriter.Write(part)
		written += n
		t.fail(err)
		if written == len(p) || err != nil {
			break
		}
		if t.Progress != nil {
			t.Progress()
		}
	}
	return written, t.failed
}

// Flush sends what was written, and removes the deadline: over HTTP/2 one that passes
// between two messages would end the stream.
func (t *TimedWriter) Flush() {
	if t.failed != nil {
		return
	}
	t.started = true
	t.extend()
	if err := t.control.Flush(); !errors.Is(err, http.ErrNotSupported) {
		t.fail(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil && !t.cut {
		t.set(time.Time{})
	}
}

// fail records why a write failed: the client did not read in time, or has disconnected.
func (t *TimedWriter) fail(err error) {
	if err == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Now().Before(t.deadline) {
		t.failed = &apierror.Error{Reason: apierror.Cancelled, Message: "the client has disconnected", Cause: err}
		return
	}
	t.failed = &apierror.Error{Reason: apierror.ClientBlocked, Message: "the client does not read", Cause: err}
}

// extend sets the deadline of the next write.
func (t *TimedWriter) extend() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.cut {
		t.deadline = time.Now().Add(t.timeout)
		t.set(t.deadline)
	}
}

// ShortenTimeout leaves the client watch.LastSendTimeout for all later writes.
func (t *TimedWriter) ShortenTimeout() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timeout = watch.LastSendTimeout
}

// CutOff ends a write that is blocked, and all later ones. Another goroutine may be
// writing.
func (t *TimedWriter) CutOff() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut = true
	t.deadline = time.Now()
	t.set(t.deadline)
}

// CutOffSoon leaves the client watch.LastSendTimeout in total, unless the timer is stopped.
func (t *TimedWriter) CutOffSoon() *time.Timer {
	return time.AfterFunc(watch.LastSendTimeout, t.CutOff)
}

// set sets the connection's deadline; only writers in tests have none. The caller holds
// mu.
func (t *TimedWriter) set(deadline time.Time) { _ = t.control.SetWriteDeadline(deadline) }
