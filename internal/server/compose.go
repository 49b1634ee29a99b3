package server

import (
	"fmt"
	"net/http"
	"runtime"

	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/answer"
	"github.com/audian/participant-gateway/internal/batch"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/grpcapi"
	"github.com/audian/participant-gateway/internal/httpapi"
	"github.com/audian/participant-gateway/internal/interceptor"
	"github.com/audian/participant-gateway/internal/metrics"
	"github.com/audian/participant-gateway/internal/policy"
	"github.com/audian/participant-gateway/internal/service"
	"github.com/audian/participant-gateway/internal/tracing"
	"github.com/audian/participant-gateway/internal/upstream"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/write"
)

// compose creates the parts, from the upstream to the ports.
func (s *Server) compose() error {
	for _, step := range []func() error{
		s.openTraces, s.openAudit, s.openIdentity, s.openAuthenticator, s.openUpstream, s.openReplicas, s.openAccounts,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	s.interceptor = s.newInterceptor()
	s.newEngine()
	answers := answer.New(s.hub, s.streams.Draining())
	batches := batch.New(batch.Options{
		Adder: s.writer, Shared: s.replicas.batches(), Interval: upstream.AddInterval,
		Draining: s.streams.Draining(), Logger: s.logger,
	})
	participants := s.interceptor.Wrap(service.New(service.Options{
		Accounts: accounts{s.registry}, Writer: s.writer, Watcher: s.watcher, Feeds: s.hub,
		Answers: answers, Batches: batches, Policy: s.callingPolicy(),
	}))
	s.grpc = s.newGRPC(participants)
	api, err := s.newAPI(participants)
	if err != nil {
		return err
	}
	s.http = s.newHTTP(api)
	if maxAge := s.config.Feed.MaxStreamAge; maxAge > 0 {
		age := connectionAge{max: maxAge}
		s.http.Handler, s.http.ConnContext = age.close(api), age.opened
	}
	s.secureHTTP()
	s.admin = s.newHTTP(s.newAdmin())
	return nil
}

// openTraces starts the export of traces, if the configuration has one.
func (s *Server) openTraces() (err error) {
	s.traces, err = tracing.New(s.config.Tracing, config.Version(), s.logger)
	return err
}

// newEngine creates the parts between the upstream and the service.
func (s *Server) newEngine() {
	s.hub = feed.NewHub(feed.Options{
		PollInterval:    s.config.Feed.PollInterval,
		MaxPollInterval: s.config.Feed.MaxPollInterval,
		Linger:          s.config.Feed.Linger,
		History:         s.config.Feed.History,
		MaxFeeds:        s.config.Limits.Conferences,
		Logs:            s.replicas.feedLogs(),
		LastAdd:         s.replicas.lastAdd(),
		Observer:        s.metrics,
		Tracer:          s.traces.Tracer(),
		Logger:          s.logger,
	})
	s.watcher = watch.NewWatcher(s.hub, watch.Limits{Subscribers: s.config.Limits.Subscribers})
	s.writer = write.New(write.Options{
		Recorder:      recorder{s.hub},
		Shared:        s.replicas.claimsOfAdds(),
		Logger:        s.logger,
		DefaultRegion: s.config.Phone.DefaultRegion,
	})
	s.metrics.Observe(s.hub, s.watcher, s.authenticator)
	s.metrics.ObserveBuild(metrics.Build{Version: config.Version(), Revision: config.Revision(), GoVersion: runtime.Version()})
}

// callingPolicy returns the limits of adds (A14).
func (s *Server) callingPolicy() *policy.Policy {
	return policy.New(policy.Options{
		Everybody:     s.config.Policy.Rules(),
		DefaultRegion: s.config.Phone.DefaultRegion,
		Counter:       s.replicas.countsOfAdds(),
	})
}

// phoneLength is the value of --phone-validation that checks only the length.
const phoneLength = "length"

func (s *Server) newInterceptor() *interceptor.Interceptor {
	limits := s.config.Limits
	return interceptor.New(interceptor.Options{
		Authenticator: s.authenticator,
		Limits:        access.Limits{Calls: limits.CallsPerSecond, Streams: limits.StreamsPerCaller},
		Phone: interceptor.PhoneRule{
			LengthOnly:    s.config.Phone.Validation == phoneLength,
			DefaultRegion: s.config.Phone.DefaultRegion,
		},
		Streams: s.streams,
		Metrics: s.metrics,
		Logger:  s.logger,
		Audit:   s.audit,
		Tracer:  s.traces.Tracer(),
	})
}

func (s *Server) newGRPC(participants v2.ParticipantServiceServer) *grpc.Server {
	return grpcapi.New(grpcapi.Options{
		Service:     participants,
		Interceptor: s.interceptor,
		Streams:     s.streams,
		Health:      s.health,
		Connections: grpcapi.Connections{
			HandshakeTimeout: headerTimeout,
			MaxHeaderBytes:   maxHeaderBytes,
			MaxStreams:       maxStreams,
			PingAfter:        pingAfter,
			PingTimeout:      pingTimeout,
		},
		MaxAge: s.config.Feed.MaxStreamAge,
		TLS:    s.grpcTLS(),
	})
}

// newAPI returns the handler of the HTTP port: REST, Connect, gRPC-Web and the pages.
func (s *Server) newAPI(participants v2.ParticipantServiceServer) (http.Handler, error) {
	api, err := httpapi.New(httpapi.Options{
		Service:        participants,
		Logger:         s.logger,
		Precheck:       s.interceptor.Precheck,
		OnRefused:      s.metrics.Refused,
		Audit:          s.interceptor.AuditRefused,
		Detached:       &s.detached,
		AllowedOrigins: s.config.Access.CORSAllowedOrigins,
		CheckHosts:     s.config.Access.Auth == config.AuthNone && !s.config.TLS.VerifiesClients(),
		AllowedHosts:   s.config.Access.AllowedHosts,
	})
	if err != nil {
		return nil, fmt.Errorf("compose the HTTP port: %w", err)
	}
	return api, nil
}
