package audian

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptrace"
	"sync/atomic"
)

// reach follows one request to the wire, to tell a request that surely did not reach
// the upstream from one that may have (A1).
type reach struct {
	// asked says that the transport tells what it does, got that it got a connection,
	// its TLS handshake included. A transport asks again only for a request of which
	// nothing was written.
	asked, got atomic.Bool
}

func follow(ctx context.Context) (context.Context, *reach) {
	r := &reach{}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { r.asked.Store(true); r.got.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { r.got.Store(true) },
	}), r
}

// missed says whether a request that failed surely did not reach the upstream: it
// never had a connection. A transport that does not tell is judged by its error.
func (r *reach) missed(err error) bool {
	if r.asked.Load() {
		return !r.got.Load()
	}
	var dial *net.OpError
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &lookup) || errors.As(err, &certificate)
}
