package server

import (
	"context"
	"fmt"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/access/oidc"
	"github.com/audian/participant-gateway/internal/config"
)

// openPolicy readies who may call.
func (s *Server) openPolicy() (access.Authenticator, error) {
	switch cfg := s.config.Access; cfg.Auth {
	case config.AuthPassthrough:
		return access.NewPassthrough(), nil
	case config.AuthKeys:
		policy, err := keys.Open(cfg.AuthKeysFile, s.logger)
		if err != nil {
			return nil, fmt.Errorf("open the keys file: %w", err)
		}
		return policy, nil
	case config.AuthOIDC:
		return oidc.New(oidc.Options{
			Issuer: cfg.OIDCIssuer, Audience: cfg.OIDCAudience, RoleClaim: cfg.OIDCRoleClaim, Logger: s.logger,
		}), nil
	default:
		return access.NewNoAuth(), nil
	}
}

// followPolicy keeps up with who may call until ctx ends.
func (s *Server) followPolicy(ctx context.Context) {
	if changing, ok := s.policy.(interface{ ReloadOnChange(ctx context.Context) }); ok {
		changing.ReloadOnChange(ctx)
	}
}
