package server

import (
	"fmt"
	"net/url"

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
