package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"

	"github.com/audian/participant-gateway/internal/certs"
)

// ALPN names. A browser opens at most six HTTP/1.1 connections to a server, so that more
// than six streams need HTTP/2.
const (
	alpnHTTP2 = "h2"
	alpnHTTP1 = "http/1.1"
)

// openIdentity reads the TLS files, if any are configured.
func (s *Server) openIdentity() error {
	files := s.config.TLS
	if !files.On() {
		return nil
	}
	identity, err := certs.Open(certs.Files{Cert: files.CertFile, Key: files.KeyFile, ClientCA: files.ClientCAFile}, s.logger)
	if err != nil {
		return fmt.Errorf("open the TLS identity: %w", err)
	}
	s.identity = identity
	return nil
}

// grpcTLS returns the TLS configuration of the gRPC port, or nil for plain text.
func (s *Server) grpcTLS() *tls.Config {
	if s.identity == nil {
		return nil
	}
	return s.identity.Config(alpnHTTP2)
}

// secureHTTP configures TLS for the HTTP port. In plain text, clients may use HTTP/2 with prior
// knowledge, as those of Connect and gRPC do.
func (s *Server) secureHTTP() {
	if s.identity != nil {
		s.http.TLSConfig = s.identity.Config(alpnHTTP2, alpnHTTP1)
		return
	}
	s.http.Protocols = &http.Protocols{}
	s.http.Protocols.SetHTTP1(true)
	s.http.Protocols.SetUnencryptedHTTP2(true)
}

// serveHTTP serves the HTTP port until the server is closed.
func (s *Server) serveHTTP() error {
	if s.identity == nil {
		return s.http.Serve(s.listeners.http) //nolint:wrapcheck // The caller compares it, and wraps.
	}
	return s.http.ServeTLS(s.listeners.http, "", "") //nolint:wrapcheck // Likewise.
}

// reloadIdentity reloads the TLS files when they change, until ctx ends.
func (s *Server) reloadIdentity(ctx context.Context) {
	if s.identity != nil {
		s.identity.ReloadOnChange(ctx)
	}
}

// scheme returns the URL scheme of the HTTP port.
func (s *Server) scheme() string {
	if s.identity == nil {
		return "http"
	}
	return "https"
}
