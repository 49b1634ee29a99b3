package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/rest"
	"github.com/audian/participant-gateway/internal/service"
	"github.com/audian/participant-gateway/internal/upstream"
	"github.com/audian/participant-gateway/internal/upstream/audian"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/write"
)

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
	measured.follow(s.hub, s.watcher, s.policy)
	s.writer = s.newWriter()
	if s.gate, err = s.newGate(measured); err != nil {
		return err
	}
	chained := s.chain(s.gate)
	s.grpc = newGRPC(chained, s.health, s.streams, s.config.Feed.MaxStreamAge, s.gate, s.secureGRPC()...)
	door, err := rest.New(rest.Options{
		Service:        chained,
		Logger:         s.logger,
		Screen:         s.gate.screen,
		Refused:        measured.refuse,
		AllowedOrigins: s.config.Access.CORSAllowedOrigins,
		CheckHosts:     s.config.Access.Auth == config.AuthNone && !s.config.TLS.VerifiesClients(),
		AllowedHosts:   s.config.Access.AllowedHosts,
		Pages:          s.newPages(chained, s.gate, measured),
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
	s.admin = s.newHTTP(newAdmin(measured, &s.ready, isLoopback(s.doors.admin.Addr()), s.config.Access.AllowedHosts))
	return nil
}

func (s *Server) newWriter() *write.Writer {
	return write.New(write.Options{
		Recorder:      recorder{s.hub},
		Logger:        s.logger,
		DefaultRegion: s.config.Phone.DefaultRegion,
	})
}

// openAccounts readies the upstream: the embedded simulator, or the real one.
func (s *Server) openAccounts(measured *metrics) error {
	cfg := s.config.Upstream
	if s.config.Demo {
		embedded, err := newDemo(s.logger)
		if err != nil {
			return err
		}
		s.demo = embedded
		cfg = config.Upstream{URL: embedded.baseURL(), Token: demoToken, AuthHeader: config.HeaderXAuthToken}
	}
	base, err := url.Parse(cfg.URL)
	if err != nil {
		return fmt.Errorf("parse the upstream URL: %w", err)
	}
	options := upstream.Options{
		BaseURL:   base,
		Header:    headerOf(cfg.AuthHeader),
		Transport: audian.NewTransport(),
		PollRate:  float64(s.config.Feed.PollRate),
		OnResult:  measured.upstreamRequest,
		Logger:    s.logger,
	}
	if s.config.Access.Auth == config.AuthPassthrough {
		s.registry = upstream.NewPassthrough(options)
		return nil
	}
	s.registry, err = upstream.NewRegistry(credentialOf(cfg), options)
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

func credentialOf(cfg config.Upstream) audian.Credential {
	if cfg.APIKey != "" {
		return audian.APIKey(cfg.APIKey.Reveal())
	}
	return audian.StaticToken(cfg.Token.Reveal())
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

// phoneLength is the --phone-validation that checks the length alone.
const phoneLength = "length"

// newGate returns what every call is to pass through.
func (s *Server) newGate(measured *metrics) (*gate, error) {
	validator, err := service.NewValidator(service.PhoneRule{
		LengthOnly:    s.config.Phone.Validation == phoneLength,
		DefaultRegion: s.config.Phone.DefaultRegion,
	})
	if err != nil {
		return nil, fmt.Errorf("compose the service: %w", err)
	}
	return &gate{
		policy:    s.policy,
		limiter:   access.NewLimiter(limitsOf(s.config.Limits)),
		validator: validator,
		metrics:   measured,
		calls:     &s.calls,
		logger:    s.logger,
	}, nil
}

// chain wraps the service in the gate, once for both doors.
func (s *Server) chain(gate *gate) v2.ParticipantServiceServer {
	answering := service.New(accounts{s.registry}, s.writer, s.watcher, s.streams)
	return service.Chain(answering, gate.unary, gate.stream)
}
