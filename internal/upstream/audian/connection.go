package audian

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptrace"
	"sync/atomic"
)

// reach follows one request through its transport, to distinguish a request that surely
// did not reach the upstream from one that may have (A1).
type connectionTrace struct {
	// traced says that the transport reports what it does, connected that it has had a
	// connection, its TLS handshake included, on which the request may have been written.
	traced, connected atomic.Bool
}

// follow returns the context to send a request under. Where its transport asks for another
// connection, it has written nothing to the one before: it sends no request again of
// which it may have written something.
func traceConnection(ctx context.Context) (context.Context, *connectionTrace) {
	r := &connectionTrace{}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { r.traced.Store(true); r.connected.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { r.connected.Store(true) },
	}), r
}

// missed reports whether a request that failed surely did not reach the upstream: it
// never had a connection. A transport that does not report is judged by its error.
func (r *connectionTrace) neverConnected(err error) bool {
	if r.traced.Load() {
		return !r.connected.Load()
	}
	var dial *net.OpError
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &lookup) || errors.As(err, &certificate)
}
