package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// abandonLead is how long before the hard stop adds without an answer are told that
// their outcome is unknown.
const abandonLead = time.Second

// drain ends what is under way: first new work, then the streams, then, as far as the
// timeout allows, the calls.
func (s *Server) drain(ctx context.Context) {
	s.logger.Info("draining", slog.String("delay", s.config.Drain.Delay.String()), slog.String("timeout", s.config.Drain.Timeout.String()))
	s.ready.Store(false)
	s.health.Shutdown()
	<-time.After(s.config.Drain.Delay)

	// The listeners close before the streams end, and with each HTTP answer its
	// connection: whoever calls again at once is to reach another replica, and
	// EventSource gives up for good on a 503, but not on a refused connection.
	s.closeDoors()
	s.streams.Drain()
	s.finish(ctx)
	s.writer.Close()
	s.hub.Close()
	s.closeAdmin()
	s.logger.Info("stopped")
}

// closeDoors takes no new connections any more, and no new calls on those there are over
// HTTP/1.1.
func (s *Server) closeDoors() {
	for _, door := range []net.Listener{s.doors.grpc, s.doors.http} {
		if err := door.Close(); err != nil {
			s.logger.Warn("close a listener", slog.String("error", err.Error()))
		}
	}
	s.http.SetKeepAlivesEnabled(false)
}

// finish waits for the calls under way, and cuts them at the drain timeout.
func (s *Server) finish(ctx context.Context) {
	abandon := time.AfterFunc(max(s.config.Drain.Timeout-abandonLead, 0), s.writer.Abandon)
	defer abandon.Stop()
	ctx, cancel := context.WithTimeout(ctx, s.config.Drain.Timeout)
	defer cancel()
	var finishing sync.WaitGroup
	finishing.Go(func() { s.finishGRPC(ctx) })
	finishing.Go(func() { s.finishHTTP(ctx) })
	finishing.Go(func() {
		if err := s.writer.Drain(ctx); err != nil {
			s.logger.Warn("adds without an answer at the drain timeout")
		}
	})
	finishing.Wait()
}

// finishGRPC lets the connections end by themselves, as far as their clients let them.
func (s *Server) finishGRPC(ctx context.Context) {
	graceful := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(graceful)
	}()
	select {
	case <-graceful:
		return
	case <-s.unread(ctx):
		s.logger.Warn("gRPC connections cut whose clients do not read")
	case <-ctx.Done():
		s.logger.Warn("gRPC calls cut at the drain timeout")
	}
	s.grpc.Stop()
	<-graceful
}

const (
	// readWithin is how long clients may take to read how their streams ended: as long
	// as the service lets a send wait at the end (W16).
	readWithin = 2 * time.Second
	// readAfter is how long they may take once the last call has its answer.
	readAfter = 500 * time.Millisecond
)

// unread is closed when every call has its answer, but some client has not taken it: a
// connection ends by itself only when all was read.
func (s *Server) unread(ctx context.Context) <-chan struct{} {
	cut := make(chan struct{})
	earliest := time.Now().Add(readWithin)
	go func() {
		select {
		case <-s.calls.none():
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(max(time.Until(earliest), readAfter)):
			close(cut)
		case <-ctx.Done():
		}
	}()
	return cut
}

func (s *Server) finishHTTP(ctx context.Context) {
	if err := s.http.Shutdown(ctx); err == nil {
		return
	}
	s.logger.Warn("HTTP calls cut at the drain timeout")
	if err := s.http.Close(); err != nil {
		s.logger.Warn("close the HTTP door", slog.String("error", err.Error()))
	}
}

// closeAdmin closes what served to the last: metrics, health and the simulator.
func (s *Server) closeAdmin() {
	servers := []*http.Server{s.admin}
	if s.demo != nil {
		servers = append(servers, s.demo.server)
	}
	for _, server := range servers {
		if err := server.Close(); err != nil {
			s.logger.Warn("close", slog.String("error", err.Error()))
		}
	}
}
