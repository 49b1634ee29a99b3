package rpc

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/rest"
)

// answer is a ResponseWriter whose client has to read in time. It remembers the first
// failure: connect-go flushes without asking what came of it.
type answer struct {
	http.ResponseWriter

	control *http.ResponseController
	// failed is why nothing more is written. Writes do not overlap.
	failed error

	// mu is never held while anything is written.
	mu       sync.Mutex
	timeout  time.Duration
	deadline time.Time
	cut      bool
}

func newAnswer(w http.ResponseWriter) *answer {
	return &answer{ResponseWriter: w, control: http.NewResponseController(w), timeout: rest.SendTimeout}
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) Write(p []byte) (int, error) {
	if a.failed != nil {
		return 0, a.failed
	}
	a.arm()
	n, err := a.ResponseWriter.Write(p)
	a.note(err)
	return n, a.failed
}

// Flush sends what was written. The deadline ends with it: over HTTP/2 one that passes
// between two messages would end the stream.
func (a *answer) Flush() {
	if a.failed != nil {
		return
	}
	a.arm()
	a.note(a.control.Flush())
	if a.failed == nil {
		a.disarm()
	}
}

// note keeps why a write failed: the client did not read in time, or is gone.
func (a *answer) note(err error) {
	if err == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = rest.CutOff(a.deadline, err)
}

func (a *answer) arm() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.cut {
		a.deadline = time.Now().Add(a.timeout)
		a.set(a.deadline)
	}
}

func (a *answer) disarm() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.cut {
		a.set(time.Time{})
	}
}

// hurry leaves the client little time for what is still written.
func (a *answer) hurry() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.timeout = rest.LastTimeout
}

// cutOff ends a write that is blocked, and all that follow.
func (a *answer) cutOff() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cut = true
	a.deadline = time.Now()
	a.set(a.deadline)
}

// set passes over a writer without deadlines, which is one of a test.
func (a *answer) set(deadline time.Time) { _ = a.control.SetWriteDeadline(deadline) }

type answerKey struct{}

func withAnswer(ctx context.Context, a *answer) context.Context {
	return context.WithValue(ctx, answerKey{}, a)
}

// answerOf is the answer to the call that ctx belongs to.
func answerOf(ctx context.Context) *answer {
	a, _ := ctx.Value(answerKey{}).(*answer)
	return a
}
