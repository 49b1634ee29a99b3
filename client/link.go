package client

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// link is the client's connection, which can be replaced. Calls that have begun stay on the
// old connection, which is closed when the last of them has ended: that one stream is silent
// does not prove that the others are.
type link struct {
	dial func() (*grpc.ClientConn, error)

	mu sync.Mutex
	// current is the connection of new calls. nil after close.
	current *connection
	// open are all connections that are not closed.
	open map[*connection]struct{}
	// closing are the connections that are being closed: on a dead network this takes seconds.
	closing sync.WaitGroup
}

// connection is one connection. The errors of its calls are *Error values.
type connection struct {
	*grpc.ClientConn

	// calls is the number of open calls. link.mu guards it.
	calls int
}

var _ grpc.ClientConnInterface = (*link)(nil)

func newLink(target string, options []grpc.DialOption) (*link, error) {
	l := &link{
		dial: func() (*grpc.ClientConn, error) { return grpc.NewClient(target, options...) },
		open: map[*connection]struct{}{},
	}
	conn, err := l.dial()
	if err != nil {
		return nil, &Error{Code: codes.InvalidArgument, Message: err.Error(), cause: err}
	}
	l.current = &connection{ClientConn: conn}
	l.open[l.current] = struct{}{}
	return l, nil
}

// acquire returns the connection for a new call. The caller releases it once.
func (l *link) acquire() (*connection, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		return nil, errClosed()
	}
	l.current.calls++
	return l.current, nil
}

func errClosed() *Error {
	return &Error{Code: codes.Canceled, Message: "the client is closed"}
}

func (l *link) release(c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.calls--
	if c.calls == 0 && c != l.current {
		l.discard(c)
	}
}

// replace makes later calls use another connection than c.
func (l *link) replace(c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current != c {
		return
	}
	conn, err := l.dial()
	if err != nil {
		return // The same target and options were valid before.
	}
	l.current = &connection{ClientConn: conn}
	l.open[l.current] = struct{}{}
	if c.calls == 0 {
		l.discard(c)
	}
}

// discard closes a connection. l.mu is locked.
func (l *link) discard(c *connection) {
	if _, ok := l.open[c]; !ok {
		return
	}
	delete(l.open, c)
	l.closing.Go(func() { _ = c.Close() }) // It only fails if it is closed already.
}

func (l *link) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current == nil
}

// close closes all connections.
func (l *link) close() {
	l.mu.Lock()
	l.current = nil
	for c := range l.open {
		l.discard(c)
	}
	l.mu.Unlock()
	l.closing.Wait()
}

// Invoke implements grpc.ClientConnInterface.
func (l *link) Invoke(ctx context.Context, method string, args, reply any, options ...grpc.CallOption) error {
	c, err := l.acquire()
	if err != nil {
		return err
	}
	defer l.release(c)
	return c.Invoke(ctx, method, args, reply, options...)
}

// NewStream implements grpc.ClientConnInterface.
func (l *link) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	c, err := l.acquire()
	if err != nil {
		return nil, err
	}
	release := sync.OnceFunc(func() { l.release(c) })
	finished := grpc.OnFinish(func(error) { release() })
	s, err := c.NewStream(ctx, desc, method, append(slices.Clip(options), finished)...)
	if err != nil {
		release()
	}
	return s, err
}

// Invoke makes a unary call.
func (c *connection) Invoke(ctx context.Context, method string, args, reply any, options ...grpc.CallOption) error {
	return typed(c.ClientConn.Invoke(ctx, method, args, reply, options...))
}

// NewStream opens a stream. If it fails, the request was not sent.
func (c *connection) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	s, err := c.ClientConn.NewStream(ctx, desc, method, options...)
	if err != nil {
		failed := errorOf(err)
		failed.unsent = true
		return nil, failed
	}
	return stream{s}, nil
}

// stream is a stream whose errors are *Error values.
type stream struct{ grpc.ClientStream }

func (s stream) SendMsg(m any) error { return typed(s.ClientStream.SendMsg(m)) }
func (s stream) RecvMsg(m any) error { return typed(s.ClientStream.RecvMsg(m)) }

// typed returns err as an *Error. nil and io.EOF stay what they are.
func typed(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return errorOf(err)
}
