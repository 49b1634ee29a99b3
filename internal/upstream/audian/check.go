package audian

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// CheckKey exchanges an API key for its first token, and returns why that fails. It does nothing for
// another credential, which only a call shows to be wrong.
func (c *Client) CheckKey(ctx context.Context) error {
	if c.tokens == nil {
		return nil
	}
	_, err := c.tokens.get(ctx, "")
	return err
}

// Reach connects with the upstream, as a request would, and sends nothing. It does nothing if there is a
// proxy on the way.
func Reach(ctx context.Context, base *url.URL) error {
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: base}); err != nil || proxy != nil {
		return err //nolint:wrapcheck // It names the variable.
	}
	port := base.Port()
	dial := (&tls.Dialer{NetDialer: &net.Dialer{}}).DialContext
	switch {
	case base.Scheme == "http":
		dial = (&net.Dialer{}).DialContext
		if port == "" {
			port = "80"
		}
	case port == "":
		port = "443"
	}
	conn, err := dial(ctx, "tcp", net.JoinHostPort(base.Hostname(), port))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	_ = conn.Close() // Nothing was sent.
	return nil
}
