package httpio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"google.golang.org/grpc/metadata"

	"github.com/audian/participant-gateway/internal/wire"
)

// Encoder encodes a message of one stream. The write that it returns sends the message;
// an error of the client is left to the TimedWriter, which records it.
type Encoder func(*wire.Message) (write func() error, err error)

// ServerStream is an HTTP response as a grpc.ServerStream.
type ServerStream struct {
	ctx    context.Context //nolint:containedctx // grpc.ServerStream hands it out.
	w      *TimedWriter
	encode Encoder

	// mu is held while a message is written, not while it is encoded.
	mu sync.Mutex
	// stopped is set once the service has returned.
	stopped bool
}

// NewServerStream returns a stream that writes to w what encode returns.
func NewServerStream(ctx context.Context, w *TimedWriter, encode Encoder) *ServerStream {
	return &ServerStream{ctx: ctx, w: w, encode: encode}
}

// Context returns the call's context.
func (s *ServerStream) Context() context.Context { return s.ctx }

// SetHeader sets headers of a response that has not started.
func (s *ServerStream) SetHeader(md metadata.MD) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	SetOutgoing(s.w.Header(), md)
	return nil
}

// SendHeader does not send yet: the first message, or error, decides the status.
func (s *ServerStream) SendHeader(md metadata.MD) error { return s.SetHeader(md) }

// SetTrailer does nothing: a call's status contains how it ended.
func (s *ServerStream) SetTrailer(metadata.MD) {}

// RecvMsg returns io.EOF: the one request was passed with the call.
func (s *ServerStream) RecvMsg(any) error { return io.EOF }

// SendMsg writes a *wire.Message, the only type that the service streams.
func (s *ServerStream) SendMsg(message any) error {
	m, isMessage := message.(*wire.Message)
	if !isMessage {
		return fmt.Errorf("send message: no stream form of %T", message)
	}
	write, err := s.encode(m)
	if err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return ErrStopped
	}
	s.w.Progress = m.Progress
	err = write()
	if failed := s.w.Failed(); failed != nil {
		return failed
	}
	if err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}

// ErrStopped is the error of a message that is sent after Stop.
var ErrStopped = errors.New("send message: the call has ended")

// Stop ends sending once the service has returned. The service has given up a write that
// is still blocked (W12, W16): Stop cuts it off, since a response must not be written
// after its handler.
func (s *ServerStream) Stop() {
	if !s.mu.TryLock() {
		s.w.CutOff()
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	s.stopped = true
}
