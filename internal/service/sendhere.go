package service

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/watch"
)

// statusWriter is a call that any goroutine can end. A blocked SendMsg then returns an error. gRPC's
// own stream is one; of several statuses the client gets the first.
type statusWriter interface{ WriteStatus(st *status.Status) error }

// sendHere is sendWatch on this goroutine.
func sendHere(ctx context.Context, messages source, stream grpc.ServerStream, call statusWriter) error {
	c := &cutter{call: call}
	leave := context.AfterFunc(ctx, func() { c.cutLater(ctx) })
	defer leave()
	s := newSender(messages, stream, func() { c.cut(errBlocked) })
	return c.finish(s.sendAll(ctx))
}

// cutter ends a call whose SendMsg is blocked.
type cutter struct {
	call statusWriter

	mu sync.Mutex
	// finished reports that nothing is sent any more, and reason why the call was cut.
	finished bool
	reason   error
	// later cuts the call some time after its context has ended.
	later *time.Timer
}

// cut ends the call, if it still sends.
func (c *cutter) cut(reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished || c.reason != nil {
		return
	}
	c.reason = reason
	_ = c.call.WriteStatus(grpcstatus.From(reason)) // It fails if the connection has ended.
}

// cutLater is called when ctx has ended. The last message may take some time (W16).
func (c *cutter) cutLater(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.finished {
		c.later = time.AfterFunc(watch.LastSendTimeout, func() { c.cut(context.Cause(ctx)) })
	}
}

// finish is called when nothing is sent any more. It returns the error of the call.
func (c *cutter) finish(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished = true
	if c.later != nil {
		c.later.Stop()
	}
	if c.reason != nil {
		return c.reason
	}
	return err
}
