package audian

import (
	"net"
	"net/http"
	"time"
)

// idleTimeout is how long a connection is kept for reuse: less than the five seconds after
// which some servers close an idle one. An add that was written to such a connection is
// lost, and must be looked for (A1).
const idleTimeout = 4 * time.Second

// NewTransport returns the transport that all clients share. It speaks HTTP/1.1 alone:
// net/http's HTTP/2 client sends a request again after a stream reset, whatever its
// method and without bound, and over HTTP/1.1 it sends a POST again only where nothing of
// it was written (A1).
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		Protocols:              protocols,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
