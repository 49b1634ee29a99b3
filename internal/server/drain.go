package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/watch"
)

// abandonLead is the time before the drain timeout at which Adds without an answer end with an
// unknown outcome.
const abandonLead = time.Second

// drain refuses new work, ends the streams, and then waits for the calls until the timeout.
func (s *Server) drain(ctx context.Context) {
	s.logger.Info("draining", slog.String("delay", s.config.Drain.Delay.String()), slog.String("timeout", s.config.Drain.Timeout.String()))
	s.setPhase(phaseDraining)
	s.health.Shutdown()
	s.replicas.retire(ctx)
	<-time.After(s.config.Drain.Delay)

	// The listeners close before the streams end, so that clients that call again reach
	// another replica. EventSource reconnects after a refused connection, but not after a 503.
	s.refuseNew()
	s.streams.Drain()
	s.finish(ctx)
	s.closeAudit()
	s.writer.Close()
	s.hub.Close()
	s.replicas.leave(ctx)
	s.traces.Close(ctx)
	s.closeAdmin()
	s.logger.Info("stopped")
}

// refuseNew refuses new connections, and new calls on open HTTP/1.1 connections.
func (s *Server) refuseNew() {
	for _, listener := range []net.Listener{s.listeners.grpc, s.listeners.http} {
		if err := listener.Close(); err != nil {
			s.logger.Warn("close a listener", slog.String("error", err.Error()))
		}
	}
	s.http.SetKeepAlivesEnabled(false)
}

// finish waits for the running calls, and cuts them at the drain timeout.
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

// finishGRPC waits until clients have read their responses, and then cuts the connections.
func (s *Server) finishGRPC(ctx context.Context) {
	graceful := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(graceful)
	}()
	select {
	case <-graceful:
		return
	case <-s.waitForUnreadResponses(ctx):
		s.logger.Warn("gRPC connections cut whose clients do not read")
	case <-ctx.Done():
		s.logger.Warn("gRPC calls cut at the drain timeout")
	}
	s.grpc.Stop()
	<-graceful
}

// readAfter is the time that clients have to read their responses after the end of the last call.
// They have at least watch.LastSendTimeout after the end of their streams.
const readAfter = 500 * time.Millisecond

// waitForUnreadResponses returns a channel that is closed when all calls have ended but some
// client has not read its response: its connection does not end by itself.
func (s *Server) waitForUnreadResponses(ctx context.Context) <-chan struct{} {
	cut := make(chan struct{})
	earliest := time.Now().Add(watch.LastSendTimeout)
	go func() {
		select {
		case <-s.interceptor.Idle():
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
	err := s.http.Shutdown(ctx)
	// refuseNew may have closed the listener before Shutdown did.
	if (err == nil || errors.Is(err, net.ErrClosed)) && s.waitForDetached(ctx) {
		return
	}
	s.logger.Warn("HTTP calls cut at the drain timeout")
	if err := s.http.Close(); err != nil {
		s.logger.Warn("close the HTTP port", slog.String("error", err.Error()))
	}
}

// waitForDetached waits for the streams that http.Server does not know any more. It returns false
// if ctx ends first: the end of the process then closes their connections.
func (s *Server) waitForDetached(ctx context.Context) bool {
	ended := make(chan struct{})
	go func() {
		s.detached.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
		return false
	}
}

// closeAdmin closes the ports that serve to the end: metrics, health and the simulator.
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
