package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"connectrpc.com/connect"
	"google.golang.org/grpc/metadata"

	"github.com/audian/participant-gateway/internal/rest"
	"github.com/audian/participant-gateway/internal/wire"
)

// stream is a connect-go stream as a grpc.ServerStream.
type stream struct {
	ctx    context.Context //nolint:containedctx // grpc.ServerStream hands it out.
	to     *connect.ServerStream[wire.Message]
	answer *rest.TimedWriter

	// mu is held while a message is sent.
	mu sync.Mutex
	// stopped says that the service has returned.
	stopped bool
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) SetHeader(md metadata.MD) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest.SetOutgoing(s.answer.Header(), md)
	return nil
}

// SendHeader sends nothing yet: headers go with the first message.
func (s *stream) SendHeader(md metadata.MD) error { return s.SetHeader(md) }

// SetTrailer does nothing: the service tells how a call ended by its status alone.
func (s *stream) SetTrailer(metadata.MD) {}

// RecvMsg finds nothing: the one request was handed over with the call.
func (s *stream) RecvMsg(any) error { return io.EOF }

// SendMsg sends a *wire.Message, the only kind that the service streams.
func (s *stream) SendMsg(message any) error {
	m, isMessage := message.(*wire.Message)
	if !isMessage {
		return fmt.Errorf("send message: no stream form of %T", message)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errStopped
	}
	s.answer.Progress = m.Progress
	err := s.to.Send(m)
	if failed := s.answer.Failed(); failed != nil {
		return failed
	}
	if err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}

var errStopped = errors.New("send message: the call has ended")

// stop ends sending once the service has returned. A send that is blocked still was
// given up by the service (W12, W16): it is cut, since nothing may be sent after the
// handler.
func (s *stream) stop() {
	if !s.mu.TryLock() {
		s.answer.CutOff()
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	s.stopped = true
	s.answer.Hurry()
}
