package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

// Run serves until ctx ends and then drains (W16). It returns nil after a drain, also
// one that had to cut, and the error of a door that fails.
func (s *Server) Run(ctx context.Context) error {
	serving, failed := errgroup.WithContext(ctx)
	serving.Go(func() error { return ignoreClosed("gRPC", s.grpc.Serve(s.doors.grpc)) })
	serving.Go(func() error { return ignoreClosed("HTTP", s.serveHTTP()) })
	serving.Go(func() error { return ignoreClosed("admin", s.admin.Serve(s.doors.admin)) })
	if s.demo != nil {
		serving.Go(func() error { return ignoreClosed("simulator", s.demo.server.Serve(s.demo.listener)) })
	}
	if own := s.registry.Own(); own != nil {
		serving.Go(func() error {
			followUpstream(failed, s.health, own)
			return nil
		})
	}
	serving.Go(func() error {
		s.followIdentity(failed)
		return nil
	})
	serving.Go(func() error {
		s.followPolicy(failed)
		return nil
	})
	s.ready.Store(true)
	<-failed.Done()
	// The drain has time of its own: ctx has ended.
	s.drain(context.WithoutCancel(ctx))
	if err := serving.Wait(); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// ignoreClosed tells a door that failed from one that the drain closed.
func ignoreClosed(door string, err error) error {
	if err == nil || errors.Is(err, http.ErrServerClosed) || errors.Is(err, grpc.ErrServerStopped) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("%s: %w", door, err)
}

// abandonLead is how long before the hard stop adds without an answer are told that
// their outcome is unknown.
const abandonLead = time.Second

// drain ends what is under way: first new work, then the streams, then, as far as the
// timeout allows, the calls.
func (s *Server) drain(ctx context.Context) {
	s.logger.Info("draining", slog.Duration("delay", s.config.Drain.Delay), slog.Duration("timeout", s.config.Drain.Timeout))
	s.ready.Store(false)
	s.health.Shutdown()
	<-time.After(s.config.Drain.Delay)

	// The listeners close before the streams end: whoever calls again at once is to
	// reach another replica, and EventSource gives up for good on a 503.
	s.closeDoors()
	s.streams.Drain()
	s.finish(ctx)
	s.writer.Close()
	s.hub.Close()
	s.closeAdmin()
	s.logger.Info("stopped")
}

// closeDoors takes no new connections any more.
func (s *Server) closeDoors() {
	for _, door := range []net.Listener{s.doors.grpc, s.doors.http} {
		if err := door.Close(); err != nil {
			s.logger.Warn("close a listener", slog.String("error", err.Error()))
		}
	}
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

func (s *Server) finishGRPC(ctx context.Context) {
	graceful := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(graceful)
	}()
	select {
	case <-graceful:
	case <-ctx.Done():
		s.logger.Warn("gRPC calls cut at the drain timeout")
		s.grpc.Stop()
		<-graceful
	}
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
