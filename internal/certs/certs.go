// Package certs is the gateway's TLS identity: its certificate and key, and the
// authorities of client certificates. It reloads their files when they change.
package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/filewatch"
)

// Files are the PEM files of an identity.
type Files struct {
	Cert, Key string
	// ClientCA has the authorities of client certificates, which are then required; empty
	// asks for none.
	ClientCA string
}

// Identity is the TLS configuration of the listeners. A handshake uses the files as
// last loaded; open connections keep the configuration of their handshake.
type Identity struct {
	watcher *filewatch.Watcher
	current atomic.Pointer[tls.Config]
}

// Open loads the files.
func Open(files Files, logger *slog.Logger) (*Identity, error) {
	i := &Identity{}
	watcher, err := filewatch.Open(filewatch.Options{
		Name:        "TLS files",
		Paths:       []string{files.Cert, files.Key, files.ClientCA},
		Read:        os.ReadFile,
		Load:        i.load,
		Consequence: "the old certificate may expire",
		Logger:      logger,
	})
	if err != nil {
		return nil, err
	}
	i.watcher = watcher
	return i, nil
}

// Config returns the configuration of a listener that offers protocols by ALPN.
func (i *Identity) Config(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			config := i.current.Load().Clone()
			config.NextProtos = protocols
			return config, nil
		},
	}
}

// ReloadOnChange loads the files when they change, until ctx ends. While they cannot be
// loaded, the last good ones stay in force.
func (i *Identity) ReloadOnChange(ctx context.Context) { i.watcher.Run(ctx) }

// Usable reports whether the files could be loaded when they were last read.
func (i *Identity) Usable() bool { return i.watcher.Usable() }

// NotAfter returns when the certificate in force expires.
func (i *Identity) NotAfter() time.Time { return i.current.Load().Certificates[0].Leaf.NotAfter }

func (i *Identity) load(contents [][]byte) ([]slog.Attr, error) {
	config, err := newConfig(contents[0], contents[1], contents[2])
	if err != nil {
		return nil, err
	}
	i.current.Store(config)
	return []slog.Attr{slog.Time("not_after", config.Certificates[0].Leaf.NotAfter)}, nil
}

// newConfig returns the configuration of one handshake. The errors of crypto/tls contain
// nothing of a key.
func newConfig(cert, key, clientCA []byte) (*tls.Config, error) {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("read the certificate and its key: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if clientCA == nil {
		return config, nil
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(clientCA) {
		return nil, errors.New("read the client authorities: no certificate in the file")
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	// A resumed session would skip the check against the current authorities.
	config.SessionTicketsDisabled = true
	return config, nil
}
