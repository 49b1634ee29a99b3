// Package server composes the gateway from its parts, listens, serves, and drains.
package server

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/audit"
	"github.com/audian/participant-gateway/internal/certs"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/interceptor"
	"github.com/audian/participant-gateway/internal/metrics"
	"github.com/audian/participant-gateway/internal/tracing"
	"github.com/audian/participant-gateway/internal/upstream"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/write"
)

// Server is a gateway that listens. Run serves.
type Server struct {
	config config.Config
	logger *slog.Logger

	hub      *feed.Hub
	writer   *write.Writer
	watcher  *watch.Watcher
	streams  *interceptor.Streams
	registry *upstream.Registry
	// upstream is the configured upstream, or the embedded simulator.
	upstream config.Upstream
	// replicas is nil for a process that shares nothing.
	replicas *replicas
	health   *health.Server
	phase    atomic.Int32
	// run distinguishes the ids of this process' streams from those of others.
	run string

	metrics *metrics.Metrics
	// traces is nil if none are exported.
	traces      *tracing.Provider
	interceptor *interceptor.Interceptor
	// audit is nil without an audit log.
	audit         *audit.Log
	authenticator access.Authenticator
	// identity is nil without TLS.
	identity *certs.Identity

	demo  *demo
	grpc  *grpc.Server
	http  *http.Server
	admin *http.Server
	// detached counts the streams over HTTP whose handlers have returned.
	detached sync.WaitGroup

	listeners struct{ grpc, http, admin net.Listener }
}

// New composes the gateway and listens, so that configuration errors appear before it serves.
func New(cfg config.Config, logger *slog.Logger) (*Server, error) {
	s := &Server{
		config: cfg, logger: logger, health: newHealth(), run: rand.Text()[:8],
		metrics: metrics.New(), streams: interceptor.NewStreams(cfg.Feed.MaxStreamAge),
	}
	if err := s.listen(); err != nil {
		s.closeListeners()
		return nil, err
	}
	if err := s.compose(); err != nil {
		s.closeListeners()
		s.traces.Close(context.Background())
		return nil, err
	}
	return s, nil
}

func (s *Server) closeListeners() {
	for _, listener := range []net.Listener{s.listeners.grpc, s.listeners.http, s.listeners.admin} {
		if listener != nil {
			// The end of the process closes it at the latest.
			_ = listener.Close()
		}
	}
}

// GRPCAddr returns the address of gRPC.
func (s *Server) GRPCAddr() string { return s.listeners.grpc.Addr().String() }

// HTTPAddr returns the address of REST, SSE, NDJSON, Connect and gRPC-Web.
func (s *Server) HTTPAddr() string { return s.listeners.http.Addr().String() }

// AdminAddr returns the address of metrics and health.
func (s *Server) AdminAddr() string { return s.listeners.admin.Addr().String() }

func isLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
