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

// upstream is the simulated vendor on a socket. Killed, it keeps its conferences.
type upstream struct {
	*simulator.Simulator

	server *http.Server
	addr   atomic.Pointer[string]
}

func startUpstream(ctx context.Context, options simulator.Options) (*upstream, error) {
	u := &upstream{Simulator: simulator.New(options)}
	if err := u.revive(ctx); err != nil {
		return nil, err
	}
	return u, nil
}

// revive begins to listen, at another address than before.
func (u *upstream) revive(ctx context.Context) error {
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

// kill ends the vendor amid whatever it does.
func (u *upstream) kill() { _ = u.server.Close() }

func (u *upstream) at() string { return *u.addr.Load() }

// strikes counts the simulator's requests from its log, which tells what befell each.
type strikes struct {
	slog.Handler

	tally *tally
}

func newStrikes(t *tally) *slog.Logger { return slog.New(strikes{slog.DiscardHandler, t}) }

func (strikes) Enabled(context.Context, slog.Level) bool { return true }

// Handle counts one request.
func (s strikes) Handle(_ context.Context, r slog.Record) error {
	said := map[string]string{}
	r.Attrs(func(a slog.Attr) bool {
		said[a.Key] = a.Value.String()
		return true
	})
	s.tally.upstream(said["operation"], said["status"])
	if kind := said["fault"]; kind != "" {
		s.tally.fault("vendor " + kind + " of " + said["operation"])
		s.tally.fault("vendor " + kind)
	}
	return nil
}
