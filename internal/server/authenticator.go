package server

import (
	"context"
	"fmt"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/access/oidc"
	"github.com/audian/participant-gateway/internal/config"
)

// openAuthenticator creates the authenticator that --auth names.
func (s *Server) openAuthenticator() error {
	switch cfg := s.config.Access; cfg.Auth {
	case config.AuthPassthrough:
		s.authenticator = access.NewPassthrough()
	case config.AuthKeys:
		authenticator, err := keys.Open(cfg.AuthKeysFile, s.logger)
		if err != nil {
			return fmt.Errorf("open the keys file: %w", err)
		}
		s.authenticator = authenticator
	case config.AuthOIDC:
		s.authenticator = oidc.New(oidc.Options{
			Issuer: cfg.OIDCIssuer, Audience: cfg.OIDCAudience, RoleClaim: cfg.OIDCRoleClaim, Logger: s.logger,
		})
	default:
		s.authenticator = access.NewNoAuth()
	}
	return nil
}

// followAuthenticator reloads what the authenticator reads from files, until ctx ends.
func (s *Server) followAuthenticator(ctx context.Context) {
	if changing, ok := s.authenticator.(interface{ ReloadOnChange(ctx context.Context) }); ok {
		changing.ReloadOnChange(ctx)
	}
}
