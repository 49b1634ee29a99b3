package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/upstream"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

// openUpstream decides which upstream the gateway has: the configured one, or the embedded
// simulator.
func (s *Server) openUpstream() error {
	s.upstream = s.config.Upstream
	if !s.config.Demo {
		return nil
	}
	embedded, err := newDemo(s.logger)
	if err != nil {
		return err
	}
	s.demo = embedded
	s.upstream = config.Upstream{URL: embedded.baseURL(), Token: demoToken, AuthHeader: config.HeaderXAuthToken}
	return nil
}

// openAccounts creates the accounts of the upstream.
func (s *Server) openAccounts() error {
	base, err := url.Parse(s.upstream.URL)
	if err != nil {
		return fmt.Errorf("parse the upstream URL: %w", err)
	}
	options := upstream.Options{
		BaseURL:   base,
		Header:    headerOf(s.upstream.AuthHeader),
		Transport: audian.NewTransport(),
		PollRate:  float64(s.config.Feed.PollRate),
		OnResult:  s.metrics.UpstreamRequest,
		Logger:    s.logger,
	}
	if s.config.Access.Auth == config.AuthPassthrough {
		s.registry = upstream.NewPassthrough(options)
		return nil
	}
	if err := s.replicas.shareAccount(&options, s.upstream, s.config.Feed.PollRate); err != nil {
		return err
	}
	s.registry, err = upstream.NewRegistry(credentialOf(s.upstream), options)
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

// checkTimeout bounds the check at the start.
const checkTimeout = 10 * time.Second

// checkUpstream finds out at the start what would fail every call, and logs it: the upstream cannot be
// reached, or it refuses the API key. It holds nothing up: the gateway serves meanwhile.
func (s *Server) checkUpstream(ctx context.Context) {
	if s.demo != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	err := s.upstreamError(ctx)
	if err == nil || errors.Is(ctx.Err(), context.Canceled) || apierror.ReasonOf(err) == apierror.CredentialRefused {
		return // reportCredential logs a refusal.
	}
	s.logger.Warn("the upstream cannot be used: calls fail until it can",
		slog.String("upstream", s.upstream.URL), slog.String("check", "--upstream-url, AUDIAN_BASE_URL"), slog.String("error", err.Error()))
}

func (s *Server) upstreamError(ctx context.Context) error {
	if s.upstream.APIKey != "" {
		return s.registry.Own().CheckKey(ctx)
	}
	base, err := url.Parse(s.upstream.URL)
	if err != nil {
		return err //nolint:wrapcheck // openAccounts has parsed it.
	}
	return audian.Reach(ctx, base)
}

// reportCredential logs that the upstream refuses the gateway's own credential, and that it accepts it again.
func (s *Server) reportCredential(accepted bool) {
	attrs := []any{slog.String("upstream", s.upstream.URL), slog.String("check", s.upstream.CredentialFrom)}
	if accepted {
		s.logger.Info("the upstream accepts the gateway's credential again", attrs...)
		return
	}
	s.logger.Error("the upstream refuses the gateway's credential: calls fail until it is replaced", attrs...)
}
