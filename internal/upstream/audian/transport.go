package audian

import (
	"net"
	"net/http"
	"time"
)

// idleTimeout is how long an idle connection is kept: less than the five seconds after which
// some servers close it. An add that is written to a closed connection loses its answer (A1).
const idleTimeout = 4 * time.Second

// NewTransport returns the transport that all clients share. It uses only HTTP/1.1: net/http's
// HTTP/2 client repeats any request after a stream reset, without bound. Over HTTP/1.1 it
// repeats a POST only if nothing of it was written (A1).
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
