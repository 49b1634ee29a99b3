package server

import (
	"fmt"
	"net/url"

	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/upstream"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

// openUpstream creates the accounts of the upstream, or of the embedded simulator.
func (s *Server) openUpstream() error {
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
		OnResult:  s.metrics.UpstreamRequest,
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
