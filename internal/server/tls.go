package server

import (
	"context"
	"fmt"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/audian/participant-gateway/internal/certs"
)

// ALPN's names of HTTP/2 and HTTP/1.1. Browsers open six connections to a server at
// most, so that streams of a seventh page come through only over HTTP/2.
const (
	alpnHTTP2 = "h2"
	alpnHTTP1 = "http/1.1"
)

// openIdentity reads the TLS files, if there are any.
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

// secureGRPC are the options of a gRPC door with TLS; none without.
func (s *Server) secureGRPC() []grpc.ServerOption {
	if s.identity == nil {
		return nil
	}
	return []grpc.ServerOption{grpc.Creds(credentials.NewTLS(s.identity.Config(alpnHTTP2)))}
}

// secureHTTP readies the HTTP door for TLS, if there is any. Without it, clients may use
// HTTP/2 with prior knowledge, as Connect's and gRPC's do.
func (s *Server) secureHTTP() {
	if s.identity != nil {
		s.http.TLSConfig = s.identity.Config(alpnHTTP2, alpnHTTP1)
		return
	}
	s.http.Protocols = &http.Protocols{}
	s.http.Protocols.SetHTTP1(true)
	s.http.Protocols.SetUnencryptedHTTP2(true)
}

// serveHTTP serves the HTTP door until it is closed.
func (s *Server) serveHTTP() error {
	if s.identity == nil {
		return s.http.Serve(s.doors.http) //nolint:wrapcheck // The caller compares it, and wraps.
	}
	return s.http.ServeTLS(s.doors.http, "", "") //nolint:wrapcheck // Likewise.
}

// followIdentity keeps up with the TLS files until ctx ends.
func (s *Server) followIdentity(ctx context.Context) {
	if s.identity != nil {
		s.identity.ReloadOnChange(ctx)
	}
}

// scheme is how URLs of the HTTP door begin.
func (s *Server) scheme() string {
	if s.identity == nil {
		return "http"
	}
	return "https"
}

// peerName is the name in the certificate of a call's client, by whichever door it
// came; empty where none was verified.
func peerName(ctx context.Context) string {
	client, known := peer.FromContext(ctx)
	if !known {
		return ""
	}
	secured, isTLS := client.AuthInfo.(credentials.TLSInfo)
	if !isTLS {
		return ""
	}
	return certs.PeerName(secured.State)
}
