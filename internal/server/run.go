package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/audian/participant-gateway/internal/panics"
)

// Run serves until ctx ends and then drains (W16). It returns nil after every drain, and the
// error of a port that fails.
func (s *Server) Run(ctx context.Context) error {
	serving, failed := errgroup.WithContext(ctx)
	serving.Go(func() error { return ignoreClosed("gRPC", s.grpc.Serve(s.listeners.grpc)) })
	serving.Go(func() error { return ignoreClosed("HTTP", s.serveHTTP()) })
	serving.Go(func() error { return ignoreClosed("admin", s.admin.Serve(s.listeners.admin)) })
	if s.demo != nil {
		serving.Go(func() error { return ignoreClosed("simulator", s.demo.server.Serve(s.demo.listener)) })
	}
	if own := s.registry.Own(); own != nil {
		serving.Go(func() error {
			return s.runTask(failed, "upstream health", func(ctx context.Context) {
				updateUpstreamHealth(ctx, s.health, own, s.reportCredential)
			})
		})
	}
	serving.Go(func() error { return s.runTask(failed, "upstream check", s.checkUpstream) })
	serving.Go(func() error { return s.runTask(failed, "TLS files", s.reloadIdentity) })
	serving.Go(func() error { return s.runTask(failed, "access policy", s.reloadAuthenticator) })
	if s.replicas != nil {
		serving.Go(func() error { return s.runTask(s.replicas.ctx, "leases", s.replicas.logs.Run) })
	}
	s.setPhase(phaseServing)
	<-failed.Done()
	// ctx has ended, but the drain must not end with it.
	s.drain(context.WithoutCancel(ctx))
	if err := serving.Wait(); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// restartDelay is the delay after which a background task that panicked runs again.
const restartDelay = time.Second

// runTask runs a background task until ctx ends, and again after a panic.
func (s *Server) runTask(ctx context.Context, task string, run func(context.Context)) error {
	for panics.Recover(s.logger, task, func() { run(ctx) }) != nil {
		select {
		case <-time.After(restartDelay):
		case <-ctx.Done():
		}
	}
	return nil
}

// ignoreClosed returns nil for a port that the drain closed.
func ignoreClosed(port string, err error) error {
	if err == nil || errors.Is(err, http.ErrServerClosed) || errors.Is(err, grpc.ErrServerStopped) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("%s: %w", port, err)
}
