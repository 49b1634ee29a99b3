package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// upstreamServer is the simulated upstream on a socket. Killed, it keeps its conferences.
type upstreamServer struct {
	*simulator.Simulator

	server *http.Server
	addr   atomic.Pointer[string]
}

func startUpstream(ctx context.Context, options simulator.Options) (*upstreamServer, error) {
	u := &upstreamServer{Simulator: simulator.New(options)}
	if err := u.revive(ctx); err != nil {
		return nil, err
	}
	return u, nil
}

// revive begins to listen, at another address than before.
func (u *upstreamServer) revive(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	u.addr.Store(new(listener.Addr().String()))
	u.server = &http.Server{
		Handler: u.Handler(), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	server := u.server
	go func() { _ = server.Serve(listener) }()
	return nil
}

// kill ends the upstream amid whatever it does.
func (u *upstreamServer) kill() { _ = u.server.Close() }

func (u *upstreamServer) at() string { return *u.addr.Load() }

// requestCounter counts the simulator's requests from its log, which tells what befell each.
type requestCounter struct {
	slog.Handler

	results *results
}

func newRequestCounter(t *results) *slog.Logger {
	return slog.New(requestCounter{slog.DiscardHandler, t})
}

func (requestCounter) Enabled(context.Context, slog.Level) bool { return true }

// Handle counts one request.
func (s requestCounter) Handle(_ context.Context, r slog.Record) error {
	said := map[string]string{}
	r.Attrs(func(a slog.Attr) bool {
		said[a.Key] = a.Value.String()
		return true
	})
	s.results.upstreamRequest(said["operation"], said["status"])
	if kind := said["fault"]; kind != "" {
		s.results.fault("upstream " + kind + " of " + said["operation"])
		s.results.fault("upstream " + kind)
	}
	return nil
}
