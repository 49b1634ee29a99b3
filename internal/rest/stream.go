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

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/wire"
)

const (
	// SendTimeout is how long a send may stay blocked on a client that does not read
	// (W12).
	SendTimeout = 60 * time.Second
	// LastTimeout is how long the end of a stream may (W16).
	LastTimeout = 2 * time.Second
)

// stream is an HTTP answer as a grpc.ServerStream. The answer begins with the first
// message; each message is flushed.
type stream struct {
	ctx     context.Context //nolint:containedctx // grpc.ServerStream hands it out.
	w       http.ResponseWriter
	control *http.ResponseController
	format  format

	// mu is held while a message is written.
	mu     sync.Mutex
	header metadata.MD
	// retry goes with the first message; zero once that is sent.
	retry   time.Duration
	started bool
	// stopped says that the service has returned.
	stopped bool
	// cut says that the answer ended in the middle, or may have: nothing more is
	// written.
	cut error
}

func newStream(ctx context.Context, w http.ResponseWriter, form format, retry time.Duration) *stream {
	return &stream{ctx: ctx, w: w, control: http.NewResponseController(w), format: form, retry: retry}
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

// SetTrailer does nothing: how the call ended is told in the last event.
func (s *stream) SetTrailer(metadata.MD) {}

// RecvMsg finds nothing: the one request was handed over with the call.
func (s *stream) RecvMsg(any) error { return io.EOF }

// SendMsg writes a *wire.Message, the only kind that the service streams.
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
	parts, err := s.format.message(m, s.retry)
	if err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	s.retry = 0
	return s.write(SendTimeout, parts)
}

var errStopped = errors.New("send message: the call has ended")

// write writes and flushes within the timeout. The caller holds mu.
func (s *stream) write(timeout time.Duration, parts [][]byte) error {
	if s.cut != nil {
		return s.cut
	}
	s.begin()
	deadline := time.Now().Add(timeout)
	// A writer without deadlines is one of a test.
	_ = s.control.SetWriteDeadline(deadline)
	if err := s.put(parts); err != nil {
		s.cut = CutOff(deadline, err)
		return s.cut
	}
	// Over HTTP/2 a deadline that passes between two messages would end the stream.
	_ = s.control.SetWriteDeadline(time.Time{})
	return nil
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

func (s *stream) put(parts [][]byte) error {
	for _, part := range parts {
		if _, err := s.w.Write(part); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

// CutOff says why a write failed: the client did not read in time, or is gone.
func CutOff(deadline time.Time, cause error) error {
	if time.Now().Before(deadline) {
		return &participant.Error{Reason: participant.Cancelled, Message: "the client is gone", Cause: cause}
	}
	return &participant.Error{Reason: participant.ClientBlocked, Message: "the client does not read", Cause: cause}
}

// stop ends sending once the service has returned, and says whether any message was
// begun. A send that is blocked still was given up by the service (W12, W16): it is
// cut, since the answer must not be written after its handler.
func (s *stream) stop() (started bool) {
	if !s.mu.TryLock() {
		_ = s.control.SetWriteDeadline(time.Now())
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
	_ = s.write(LastTimeout, parts)
}
