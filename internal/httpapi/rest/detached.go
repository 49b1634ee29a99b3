package rest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/detached"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/jitter"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/wire"
)

// detachedStream is a stream that goes on after its handler has returned. Whatever wakes it writes
// what is due: the source, the timer, or that the call is cancelled. It has a goroutine of its own only
// while a write waits for the client.
type detachedStream struct {
	*detached.Stream

	call   *detached.Call
	logger *slog.Logger
	conn   *httpio.Connection
	format format
	// ended is called when the connection is closed.
	ended func()
	// stopNotify ends what the source does.
	stopNotify func()

	mu sync.Mutex
	// busy reports that a goroutine of the stream's own writes, asks, or ends the stream. Whatever
	// else wakes the stream leaves it to that goroutine.
	busy bool
	// cancelled reports that the call is cancelled. It then ends after its last message.
	cancelled bool
	// stopAsking ends asking; nil if the stream has not asked.
	stopAsking context.CancelFunc
	// timer fires at wakeAt; nil before the stream is idle.
	timer  *time.Timer
	wakeAt time.Time
	// cutOff ends a write that is still blocked when the call has been cancelled for a while; nil before that.
	cutOff *time.Timer
}

// run sends the first message and all later ones. It returns when the first one is sent, or the
// stream has ended.
func (s *detachedStream) run(retry time.Duration) {
	s.busy = true
	s.stopNotify = s.Source.Notify(s.wake)
	s.call.OnCancel(func(error) { go s.cancel() }) // The caller may hold a lock.
	s.wait(func() error {
		parts, err := s.format.message(s.First, retry)
		s.First = nil
		if err != nil {
			return err
		}
		return s.write(s.frame(nil, parts))
	})
}

// wake writes what is due, unless the stream is busy.
func (s *detachedStream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.busy {
		s.advance()
	}
}

func (s *detachedStream) timerFired() {
	s.mu.Lock()
	s.wakeAt = time.Time{}
	s.mu.Unlock()
	s.wake()
}

// cancel ends the stream after its last message, which its client must read soon.
func (s *detachedStream) cancel() {
	s.mu.Lock()
	s.cancelled = true
	if s.stopAsking != nil {
		s.stopAsking()
	}
	s.cutOff = s.conn.CutOffSoon()
	s.mu.Unlock()
	s.wake()
}

// advance writes what is due, and leaves what has to wait to a goroutine. mu is held.
func (s *detachedStream) advance() {
	defer func() {
		if panicked := recover(); panicked != nil {
			err := panics.Report(s.logger, streamWork, panicked)
			s.inBackground(func() error { return err })
		}
	}()
	buffer, _ := buffers.Get().(*[]byte)
	for full := true; full; {
		small, large, err := s.due((*buffer)[:0])
		*buffer = small
		written := 0
		if err == nil && len(small) > 0 {
			written, err = s.conn.TryWrite(small)
		}
		if err != nil || written < len(small) || large != nil {
			s.inBackground(func() error {
				defer buffers.Put(buffer)
				return cmp.Or(s.write(small[written:], large), err)
			})
			return
		}
		full = len(small) >= wire.PartSize
	}
	buffers.Put(buffer)
	s.idle()
}

// buffers are reused by all streams. Each is a little larger than what a stream writes at once.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// due appends the messages that are due to small. It returns what of a large message goes after them.
func (s *detachedStream) due(small []byte) (_ []byte, large [][]byte, err error) {
	for len(small) < wire.PartSize {
		message, err := s.Source.Poll()
		if message == nil || err != nil {
			return small, nil, err
		}
		parts, err := s.format.message(message, 0)
		if err != nil {
			return small, nil, err
		}
		if small, large = s.frame(small, parts); large != nil {
			break
		}
	}
	return small, large, nil
}

// frame appends a message to small as one part of the response's body. The parts of a large message
// are not copied: other streams share them.
func (s *detachedStream) frame(small []byte, parts [][]byte) (_ []byte, large [][]byte) {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	small = s.conn.AppendHead(small, size)
	if size > wire.PartSize {
		return small, append(slices.Clip(parts), s.conn.AppendTail(nil))
	}
	for _, part := range parts {
		small = append(small, part...)
	}
	return s.conn.AppendTail(small), nil
}

// write writes what frame has returned, and waits for the client.
func (s *detachedStream) write(small []byte, large [][]byte) error {
	return s.conn.WriteAll(append([][]byte{small}, large...))
}

// idle is called when nothing is due. mu is held.
func (s *detachedStream) idle() {
	wakeAt, askDue := s.Source.Idle()
	switch {
	case s.cancelled:
		s.inBackground(s.call.Cause)
	case askDue:
		ctx, cancel := context.WithCancel(context.Background())
		s.stopAsking = cancel
		s.inBackground(func() error {
			defer cancel()
			s.Source.Ask(ctx)
			return nil
		})
	default:
		s.setTimer(wakeAt)
	}
}

func (s *detachedStream) setTimer(at time.Time) {
	if at.Equal(s.wakeAt) {
		return
	}
	s.wakeAt = at
	if s.timer == nil {
		s.timer = time.AfterFunc(time.Until(at), s.timerFired)
		return
	}
	s.timer.Reset(time.Until(at))
}

// inBackground runs what may wait in a goroutine. mu is held.
func (s *detachedStream) inBackground(do func() error) {
	s.busy = true
	go s.wait(do)
}

// wait does what may wait, and goes on after it. An error ends the stream. The stream is busy.
func (s *detachedStream) wait(do func() error) {
	if err := s.recovered(do); err != nil {
		s.end(err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	s.advance()
}

// streamWork is the name of streams in the log of a panic.
const streamWork = "detached stream"

// recovered returns a panic as an error.
func (s *detachedStream) recovered(do func() error) (err error) {
	if panicked := panics.Recover(s.logger, streamWork, func() { err = do() }); panicked != nil {
		return panicked
	}
	return err
}

// end ends the stream, and the response with its error. The stream stays busy. The connection is closed
// even if a part of the end panics.
func (s *detachedStream) end(err error) {
	if panicked := s.recovered(s.stop); panicked != nil {
		err = panicked
	}
	if cause := s.call.Cause(); s.conn.Failed() != nil && cause != nil {
		err = cause // The write was cut off.
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	err = s.recovered(func() error { return s.call.End(err) })
	s.conn.ShortenTimeout()
	if err != nil {
		st := grpcstatus.From(err)
		failure := s.format.failure(st, jitter.Above(grpcstatus.RetryDelay(st), reconnectSpread))
		_ = s.write(s.frame(nil, failure)) // The client may have disconnected.
	}
	s.conn.End()
	s.ended()
}

// stop stops whatever wakes the stream, and its source.
func (s *detachedStream) stop() error {
	s.stopNotify()
	s.stopTimers()
	s.Source.Close()
	return nil
}

func (s *detachedStream) stopTimers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, timer := range []*time.Timer{s.timer, s.cutOff} {
		if timer != nil {
			timer.Stop()
		}
	}
}
