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
			return s.follow(failed, "upstream health", func(ctx context.Context) { followUpstream(ctx, s.health, own) })
		})
	}
	serving.Go(func() error { return s.follow(failed, "TLS files", s.followIdentity) })
	serving.Go(func() error { return s.follow(failed, "access policy", s.followPolicy) })
	s.ready.Store(true)
	<-failed.Done()
	// The drain has time of its own: ctx has ended.
	s.drain(context.WithoutCancel(ctx))
	if err := serving.Wait(); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// followAgain is how long a follower that panicked waits.
const followAgain = time.Second

// follow runs what keeps up with a change until ctx ends. After a panic it goes on.
func (s *Server) follow(ctx context.Context, what string, run func(context.Context)) error {
	for s.followOnce(ctx, what, run) {
		select {
		case <-time.After(followAgain):
		case <-ctx.Done():
		}
	}
	return nil
}

func (s *Server) followOnce(ctx context.Context, what string, run func(context.Context)) (panicked bool) {
	defer func() {
		if reason := recover(); reason != nil {
			s.gate.panicked(ctx, what, reason)
			panicked = true
		}
	}()
	run(ctx)
	return false
}

// ignoreClosed tells a door that failed from one that the drain closed.
func ignoreClosed(door string, err error) error {
	if err == nil || errors.Is(err, http.ErrServerClosed) || errors.Is(err, grpc.ErrServerStopped) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("%s: %w", door, err)
}
