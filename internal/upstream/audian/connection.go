package audian

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptrace"
	"sync/atomic"
)

// connectionTrace records whether a request got a connection: without one, it certainly did not
// reach the upstream (A1).
type connectionTrace struct {
	hooks httptrace.ClientTrace
	// traced is true if the transport reports events, connected if the request got a
	// connection, after its TLS handshake, and may have been written to it.
	traced, connected atomic.Bool
}

// traceConnection returns the context for a request. If the transport gets a second connection,
// it wrote nothing to the first: it does not repeat a request that it may have written.
func traceConnection(ctx context.Context) (context.Context, *connectionTrace) {
	t := &connectionTrace{}
	t.hooks.GetConn = func(string) { t.traced.Store(true); t.connected.Store(false) }
	t.hooks.GotConn = func(httptrace.GotConnInfo) { t.connected.Store(true) }
	return httptrace.WithClientTrace(ctx, &t.hooks), t
}

// neverConnected reports whether a request that failed got no connection. Without a trace, its
// error decides.
func (t *connectionTrace) neverConnected(err error) bool {
	if t.traced.Load() {
		return !t.connected.Load()
	}
	var dial *net.OpError
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &lookup) || errors.As(err, &certificate)
}
