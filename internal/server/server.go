// Package server composes the gateway: it puts the parts together, opens the doors,
// and closes them in order when it is time.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/certs"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/service"
	"github.com/audian/participant-gateway/internal/upstream"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/write"
)

// Server is the gateway, listening but not yet serving: Run serves.
type Server struct {
	config config.Config
	logger *slog.Logger

	hub      *feed.Hub
	writer   *write.Writer
	watcher  *watch.Watcher
	streams  *service.Streams
	registry *upstream.Registry
	health   *health.Server
	ready    atomic.Bool
	calls    callCount

	gate   *gate
	policy access.Authenticator
	// identity is nil without TLS.
	identity *certs.Identity

	demo  *demo
	grpc  *grpc.Server
	http  *http.Server
	admin *http.Server
	doors doors
}

// doors are the listeners.
type doors struct{ grpc, http, admin net.Listener }

// Times of the HTTP doors. There is no write timeout: streams last. A client that
// does not read is cut by the stream itself (W12).
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// maxHeaderBytes is what the transports read at most. What they refuse has no reason,
	// and HTTP/2 ends the connection, so that there is room to refuse first
	// (rest.MaxHeaders).
	maxHeaderBytes = 1 << 20
)

// New puts the gateway together and listens, so that what cannot work fails before
// anything is served.
func New(cfg config.Config, logger *slog.Logger) (*Server, error) {
	s := &Server{config: cfg, logger: logger, health: newHealth(), streams: service.NewStreams(cfg.Feed.MaxStreamAge)}
	if err := s.listen(); err != nil {
		s.closeListeners()
		return nil, err
	}
	if err := s.compose(); err != nil {
		s.closeListeners()
		return nil, err
	}
	return s, nil
}

// listen opens the doors.
func (s *Server) listen() error {
	for _, door := range []struct {
		flag, address string
		listener      *net.Listener
	}{
		{"--grpc-addr", s.config.Listen.GRPC, &s.doors.grpc},
		{"--http-addr", s.config.Listen.HTTP, &s.doors.http},
		{"--admin-addr", s.config.Listen.Admin, &s.doors.admin},
	} {
		listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", door.address)
		if err != nil {
			return listenError(door.flag, err)
		}
		*door.listener = listener
	}
	return nil
}

// listenError tells an address that is none of this machine's, which is a wrong
// configuration, from a port that another process has.
func listenError(flag string, err error) error {
	failed := fmt.Errorf("%s: %w", flag, err)
	if _, unresolved := errors.AsType[*net.DNSError](err); unresolved || errors.Is(err, syscall.EADDRNOTAVAIL) {
		return config.UsageError(failed)
	}
	return failed
}

func (s *Server) closeListeners() {
	for _, listener := range []net.Listener{s.doors.grpc, s.doors.http, s.doors.admin} {
		if listener != nil {
			// What does not close here closes with the process.
			_ = listener.Close()
		}
	}
}

// GRPCAddr is where gRPC is.
func (s *Server) GRPCAddr() string { return s.doors.grpc.Addr().String() }

// HTTPAddr is where REST, SSE, NDJSON, Connect and gRPC-Web are.
func (s *Server) HTTPAddr() string { return s.doors.http.Addr().String() }

// AdminAddr is where metrics and health are.
func (s *Server) AdminAddr() string { return s.doors.admin.Addr().String() }

func isLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
