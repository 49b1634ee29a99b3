// Package certs is the gateway's TLS identity: a certificate and its key, and the
// authorities of client certificates, read from files and read again when they change.
package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// Files are where an identity is kept, as PEM.
type Files struct {
	Cert, Key string
	// ClientCA holds the authorities whose certificates clients must show; empty asks
	// clients for none.
	ClientCA string
}

// Identity is what the gateway shows and asks for in handshakes. A handshake uses the
// files as they were read last; connections that are open go on with what they began.
type Identity struct {
	files  Files
	logger *slog.Logger

	current atomic.Pointer[tls.Config]
	// seen is the content that was read last, good or not, so that a broken one is
	// told of once. It belongs to Follow.
	seen content
}

// Open reads the files, which must fit together.
func Open(files Files, logger *slog.Logger) (*Identity, error) {
	i := &Identity{files: files, logger: logger}
	read, err := files.read()
	if err != nil {
		return nil, err
	}
	config, err := read.config()
	if err != nil {
		return nil, err
	}
	i.seen = read
	i.current.Store(config)
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

// lookEvery is how often the files are looked at. Their content decides: times and
// names of files that are mounted, linked or renamed tell little.
const lookEvery = time.Second

// Follow reads the files again whenever they change, until ctx ends. While they are
// broken, or half written, the last good ones are used.
func (i *Identity) Follow(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			i.look(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (i *Identity) look(ctx context.Context) {
	read, err := i.files.read()
	if err == nil && read.equal(i.seen) {
		return
	}
	var config *tls.Config
	if err == nil {
		config, err = read.config()
	}
	if err != nil {
		i.keep(ctx, read, err)
		return
	}
	i.seen = read
	i.current.Store(config)
	i.logger.LogAttrs(ctx, slog.LevelInfo, "TLS files reloaded", slog.Time("not_after", config.Certificates[0].Leaf.NotAfter))
}

// keep says, once, that the files cannot be used.
func (i *Identity) keep(ctx context.Context, read content, err error) {
	if read.equal(i.seen) {
		return
	}
	i.seen = read
	i.logger.LogAttrs(ctx, slog.LevelError, "TLS files are broken: the last good ones stay in use", slog.String("error", err.Error()))
}

// content is what the files hold; nil where one could not be read.
type content struct{ cert, key, clientCA []byte }

func (f Files) read() (content, error) {
	var c content
	var failed error
	for _, file := range []struct {
		name string
		into *[]byte
	}{{f.Cert, &c.cert}, {f.Key, &c.key}, {f.ClientCA, &c.clientCA}} {
		if file.name == "" {
			continue
		}
		read, err := os.ReadFile(file.name)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("read TLS files: %w", err))
		}
		*file.into = read
	}
	return c, failed
}

func (c content) equal(other content) bool {
	return bytes.Equal(c.cert, other.cert) && bytes.Equal(c.key, other.key) && bytes.Equal(c.clientCA, other.clientCA)
}

// config is the configuration of one handshake. The errors of crypto/tls show nothing
// of a key.
func (c content) config() (*tls.Config, error) {
	pair, err := tls.X509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, fmt.Errorf("read the certificate and its key: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if c.clientCA == nil {
		return config, nil
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(c.clientCA) {
		return nil, errors.New("read the client authorities: no certificate in the file")
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	// A resumed session would be as good as the authorities were when it began.
	config.SessionTicketsDisabled = true
	return config, nil
}
