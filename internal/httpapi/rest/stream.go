package rest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/wire"
)

// stream is a stream over HTTP. The response starts with the first message; each message
// is flushed.
type stream struct {
	*httpio.ServerStream

	w      *httpio.TimedWriter
	format format
	// retry is sent with the first message; zero once that is encoded.
	retry time.Duration
}

func newStream(ctx context.Context, w http.ResponseWriter, form format, retry time.Duration) *stream {
	s := &stream{w: httpio.TimedWriterOf(w), format: form, retry: retry}
	s.ServerStream = httpio.NewServerStream(ctx, s.w, s.encode)
	return s
}

func (s *stream) encode(m *wire.Message) (write func() error, err error) {
	parts, err := s.format.message(m, s.retry)
	if err != nil {
		return nil, err
	}
	s.retry = 0
	return func() error { return s.write(parts) }, nil
}

// write writes and flushes.
func (s *stream) write(parts [][]byte) error {
	s.start()
	for _, part := range parts {
		if _, err := s.w.Write(part); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	s.w.Flush()
	return s.w.Failed()
}

// start writes the header of the response, once.
func (s *stream) start() {
	if s.w.Started() {
		return
	}
	header := s.w.Header()
	header.Set("Content-Type", s.format.contentType())
	header.Set("X-Accel-Buffering", "no")
	s.w.WriteHeader(http.StatusOK)
}

// last writes the end of the response, after Stop, unless it was cut off.
func (s *stream) last(parts [][]byte) {
	s.w.ShortenTimeout()
	_ = s.write(parts)
}
