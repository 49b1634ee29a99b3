package server

import (
	"context"
	"fmt"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/access/oidc"
	"github.com/audian/participant-gateway/internal/config"
)

// openPolicy creates the policy that --auth names.
func (s *Server) openPolicy() error {
	switch cfg := s.config.Access; cfg.Auth {
	case config.AuthPassthrough:
		s.policy = access.NewPassthrough()
	case config.AuthKeys:
		policy, err := keys.Open(cfg.AuthKeysFile, s.logger)
		if err != nil {
			return fmt.Errorf("open the keys file: %w", err)
		}
		s.policy = policy
	case config.AuthOIDC:
		s.policy = oidc.New(oidc.Options{
			Issuer: cfg.OIDCIssuer, Audience: cfg.OIDCAudience, RoleClaim: cfg.OIDCRoleClaim, Logger: s.logger,
		})
	default:
		s.policy = access.NewEverybody()
	}
	return nil
}

// followPolicy reloads the policy when it changes, until ctx ends.
func (s *Server) followPolicy(ctx context.Context) {
	if changing, ok := s.policy.(interface{ Follow(ctx context.Context) }); ok {
		changing.Follow(ctx)
	}
}
