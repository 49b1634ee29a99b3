// Package detached defines streams that go on after the handler of their call has returned, so
// that they need no goroutine while nothing is sent.
//
// The transport offers it with NewContext. The service accepts with Detach and returns; what wraps
// the service leaves its end of the call to AtEnd. The transport then sends the messages of the
// source, and calls End.
package detached

import (
	"context"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/wire"
)

// Source returns the messages of a stream. Only one goroutine at a time may use it.
type Source interface {
	// Poll returns the message that is due, or nil. It never waits. The message is valid until the
	// next call. Poll returns io.EOF after the last message, and any other error that ends the
	// stream.
	Poll() (*wire.Message, error)
	// Idle is called when no message is due. It returns when Poll is to be called even if nothing
	// changes, and whether Ask is to be called before Poll.
	Idle() (wakeAt time.Time, askDue bool)
	// Ask may wait for another process.
	Ask(ctx context.Context)
	// Notify calls wake after each change, until stop is called. It must not block long, and
	// must not call stop. Poll must be called once after Notify: it finds earlier changes.
	Notify(wake func()) (stop func())
	// Close ends the source.
	Close()
}

// Stream is what a detached call sends.
type Stream struct {
	// First is the first message. Source returns those after it.
	First  *wire.Message
	Source Source
}

// Call is a streaming call whose transport can detach it. A nil Call is one that cannot be detached.
type Call struct {
	stream *Stream
	ends   []func(error) error

	mu     sync.Mutex
	cause  error
	cancel func(error)
}

type callKey struct{}

// NewContext returns a context whose stream the service may detach.
func NewContext(ctx context.Context, call *Call) context.Context {
	return context.WithValue(ctx, callKey{}, call)
}

// FromContext returns the call; nil if its stream cannot be detached.
func FromContext(ctx context.Context) *Call {
	call, _ := ctx.Value(callKey{}).(*Call)
	return call
}

// Detach leaves the stream to the transport. The handler must return nil after it. The stream does
// not end with the handler's context.
func (c *Call) Detach(stream *Stream) { c.stream = stream }

// Stream returns the detached stream; nil if the call is not detached.
func (c *Call) Stream() *Stream {
	if c == nil {
		return nil
	}
	return c.stream
}

// OnCancel replaces the function that Cancel calls, and calls it if the call was cancelled. While
// the handler runs it cancels the handler's context, later the transport's stream. It returns what
// cancels the call: Cancel, or the function itself for a nil Call.
func (c *Call) OnCancel(cancel func(error)) func(error) {
	if c == nil {
		return cancel
	}
	c.mu.Lock()
	c.cancel = cancel
	cause := c.cause
	c.mu.Unlock()
	if cause != nil {
		cancel(cause)
	}
	return c.Cancel
}

// Cancel ends the stream with a cause. Only the first one counts.
func (c *Call) Cancel(cause error) {
	c.mu.Lock()
	if c.cause != nil {
		c.mu.Unlock()
		return
	}
	c.cause = cause
	cancel := c.cancel
	c.mu.Unlock()
	if cancel != nil {
		cancel(cause)
	}
}

// Cause returns the cause that Cancel was called with; nil before that.
func (c *Call) Cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// AtEnd adds a function that End calls. It gets the error of the function that was added before it,
// and returns the error of the call.
func (c *Call) AtEnd(end func(error) error) { c.ends = append(c.ends, end) }

// End ends the call with the error of its stream, and returns the error for the client.
func (c *Call) End(err error) error {
	for _, end := range c.ends {
		err = end(err)
	}
	return err
}
