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
	"net/url"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/account"
	"github.com/audian/participant-gateway/internal/audian"
	"github.com/audian/participant-gateway/internal/certs"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/rest"
	"github.com/audian/participant-gateway/internal/service"
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
	registry *account.Registry
	health   *health.Server
	ready    atomic.Bool
	calls    callCount

	policy access.Policy
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
	headerTimeout  = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 32 << 10
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

// compose builds the parts from the upstream outwards.
func (s *Server) compose() error {
	measured := newMetrics()
	if err := s.openIdentity(); err != nil {
		return err
	}
	var err error
	if s.policy, err = s.openPolicy(); err != nil {
		return err
	}
	if err := s.openAccounts(measured); err != nil {
		return err
	}
	s.hub = feed.NewHub(feed.Options{
		PollInterval:    s.config.Feed.PollInterval,
		MaxPollInterval: s.config.Feed.MaxPollInterval,
		Linger:          s.config.Feed.Linger,
		History:         s.config.Feed.History,
		MaxFeeds:        s.config.Limits.Conferences,
		Observer:        measured,
		Logger:          s.logger,
	})
	s.watcher = watch.NewWatcher(s.hub, watch.Limits{Subscribers: s.config.Limits.Subscribers})
	measured.follow(s.hub, s.watcher)
	s.writer = write.New(write.Options{Recorder: recorder{s.hub}, Logger: s.logger})
	gate, err := s.newGate(measured)
	if err != nil {
		return err
	}
	chained := s.chain(gate)
	s.grpc = newGRPC(chained, s.health, s.streams, s.config.Feed.MaxStreamAge, s.secureGRPC()...)
	door, err := rest.New(rest.Options{
		Service:        chained,
		Logger:         s.logger,
		Screen:         gate.screen,
		Refused:        measured.refuse,
		AllowedOrigins: s.config.Access.CORSAllowedOrigins,
		CheckHosts:     s.config.Access.Auth == config.AuthNone && !s.config.TLS.VerifiesClients(),
		AllowedHosts:   s.config.Access.AllowedHosts,
		Pages:          s.newPages(chained, gate, measured),
	})
	if err != nil {
		return fmt.Errorf("compose the HTTP door: %w", err)
	}
	s.http = s.newHTTP(door)
	if maxAge := s.config.Feed.MaxStreamAge; maxAge > 0 {
		connections := aging{maxAge: maxAge}
		s.http.Handler, s.http.ConnContext = connections.close(door), connections.born
	}
	s.secureHTTP()
	s.admin = s.newHTTP(newAdmin(measured, &s.ready, isLoopback(s.doors.admin.Addr())))
	return nil
}

// openAccounts readies the upstream: the embedded simulator, or the real one.
func (s *Server) openAccounts(measured *metrics) error {
	upstream := s.config.Upstream
	if s.config.Demo {
		embedded, err := newDemo(s.logger)
		if err != nil {
			return err
		}
		s.demo = embedded
		upstream = config.Upstream{URL: embedded.baseURL(), Token: demoToken, AuthHeader: config.HeaderXAuthToken}
	}
	base, err := url.Parse(upstream.URL)
	if err != nil {
		return fmt.Errorf("parse the upstream URL: %w", err)
	}
	options := account.Options{
		BaseURL:   base,
		Header:    headerOf(upstream.AuthHeader),
		Transport: audian.NewTransport(),
		PollRate:  float64(s.config.Feed.PollRate),
		OnTrip:    measured.trip,
		Logger:    s.logger,
	}
	if s.config.Access.Auth == config.AuthPassthrough {
		s.registry = account.NewPassthrough(options)
		return nil
	}
	s.registry, err = account.NewRegistry(credentialOf(upstream), options)
	if err != nil {
		return fmt.Errorf("open the upstream account: %w", err)
	}
	return nil
}

func headerOf(name string) audian.AuthHeader {
	if name == config.HeaderBearer {
		return audian.Bearer
	}
	return audian.XAuthToken
}

func credentialOf(upstream config.Upstream) audian.Credential {
	if upstream.APIKey != "" {
		return audian.APIKey(upstream.APIKey.Reveal())
	}
	return audian.StaticToken(upstream.Token.Reveal())
}

func (s *Server) newHTTP(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams,
			SendPingTimeout:      pingAfter,
			PingTimeout:          pingTimeout,
		},
		ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}
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
		return config.Misuse(failed)
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
