package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/audian/participant-gateway/internal/wire"
)

// stream is an HTTP answer as a grpc.ServerStream. The answer begins with the first
// message; each message is flushed.
type stream struct {
	ctx    context.Context //nolint:containedctx // grpc.ServerStream hands it out.
	w      *TimedWriter
	format format
	// retry goes with the first message; zero once that is encoded. It belongs to SendMsg.
	retry time.Duration

	// mu is held while a message is written, not while it is encoded.
	mu      sync.Mutex
	header  metadata.MD
	started bool
	// stopped says that the service has returned.
	stopped bool
}

func newStream(ctx context.Context, w http.ResponseWriter, form format, retry time.Duration) *stream {
	return &stream{ctx: ctx, w: NewTimedWriter(w), format: form, retry: retry}
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) SetHeader(md metadata.MD) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.header = metadata.Join(s.header, md)
	return nil
}

// SendHeader sends nothing yet: the first message, or failure, decides the status.
func (s *stream) SendHeader(md metadata.MD) error { return s.SetHeader(md) }

// SetTrailer does nothing: the last event contains how the call ended.
func (s *stream) SetTrailer(metadata.MD) {}

// RecvMsg finds nothing: the one request was handed over with the call.
func (s *stream) RecvMsg(any) error { return io.EOF }

// SendMsg writes a *wire.Message, the only kind that the service streams.
func (s *stream) SendMsg(message any) error {
	m, isMessage := message.(*wire.Message)
	if !isMessage {
		return fmt.Errorf("send message: no stream form of %T", message)
	}
	parts, err := s.format.message(m, s.retry)
	if err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	s.retry = 0
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errStopped
	}
	s.w.Progress = m.Progress
	return s.write(parts)
}

var errStopped = errors.New("send message: the call has ended")

// write writes and flushes. The caller holds mu.
func (s *stream) write(parts [][]byte) error {
	s.begin()
	for _, part := range parts {
		if _, err := s.w.Write(part); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	s.w.Flush()
	return s.w.Failed()
}

func (s *stream) begin() {
	if s.started {
		return
	}
	s.started = true
	header := s.w.Header()
	SetOutgoing(header, s.header)
	header.Set("Content-Type", s.format.contentType())
	header.Set("X-Accel-Buffering", "no")
	s.w.WriteHeader(http.StatusOK)
}

// stop ends sending once the service has returned, and says whether any message was
// begun. A write that is blocked still was given up by the service (W12, W16): it is
// cut, since the answer must not be written after its handler.
func (s *stream) stop() (started bool) {
	if !s.mu.TryLock() {
		s.w.CutOff()
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	s.stopped = true
	return s.started
}

// last writes what is left to say, unless the answer is cut.
func (s *stream) last(parts [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.w.Hurry()
	_ = s.write(parts)
}
