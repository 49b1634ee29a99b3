package terminal

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/audian/participant-gateway/client"
	"github.com/audian/participant-gateway/internal/redact"
)

// open returns a client of the gateway.
func (c Connection) open(key redact.Secret) (*client.Client, error) {
	var options []client.Option
	if key != "" {
		options = append(options, client.WithKey(key.Reveal()))
	}
	if c.InsecureCredential {
		options = append(options, client.WithInsecureCredential())
	}
	if c.TLS || c.TLSCAFile != "" {
		config, err := c.tlsConfig()
		if err != nil {
			return nil, &UsageError{fmt.Errorf("--tls-ca-file: %w", err)}
		}
		options = append(options, client.WithTLS(config))
	}
	connection, err := client.New(c.Addr, options...)
	if err != nil {
		return nil, &UsageError{err}
	}
	return connection, nil
}

// tlsConfig returns the settings of TLS; nil for the defaults.
func (c Connection) tlsConfig() (*tls.Config, error) {
	if c.TLSCAFile == "" {
		return nil, nil //nolint:nilnil // client.WithTLS documents nil.
	}
	content, err := os.ReadFile(c.TLSCAFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificates: %w", err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(content) {
		return nil, errors.New("the file contains no certificate")
	}
	return &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}, nil
}
