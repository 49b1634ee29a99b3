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

// upstreamServer serves the simulator on a socket. It keeps its conferences when it is
// killed.
type upstreamServer struct {
	*simulator.Simulator

	server   *http.Server
	addr     atomic.Pointer[string]
	arrivals arrivals
}

func startUpstream(ctx context.Context, options simulator.Options) (*upstreamServer, error) {
	u := &upstreamServer{Simulator: simulator.New(options)}
	if err := u.restart(ctx); err != nil {
		return nil, err
	}
	return u, nil
}

// restart listens again, at another address.
func (u *upstreamServer) restart(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	u.addr.Store(new(listener.Addr().String()))
	u.server = &http.Server{
		Handler: u.arrivals.record(u.Handler()), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	server := u.server
	go func() { _ = server.Serve(listener) }()
	return nil
}

// kill closes the server and its connections.
func (u *upstreamServer) kill() { _ = u.server.Close() }

func (u *upstreamServer) at() string { return *u.addr.Load() }

// requestCounter counts the simulator's requests and faults by its log.
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
	attrs := map[string]string{}
	r.Attrs(func(a slog.Attr) bool {
		attrs[a.Key] = a.Value.String()
		return true
	})
	s.results.upstreamRequest(attrs["operation"], attrs["status"])
	if kind := attrs["fault"]; kind != "" {
		s.results.fault("upstream " + kind + " of " + attrs["operation"])
		s.results.fault("upstream " + kind)
	}
	return nil
}
