package audian

import (
	"net"
	"net/http"
	"time"
)

// NewTransport returns the transport that all clients share. It speaks HTTP/1.1 alone:
// net/http's HTTP/2 client sends a request again after a stream reset, whatever its
// method and without bound, and over HTTP/1.1 it sends a POST again only where nothing of
// it was written (A1).
//
// It keeps connections for reuse, and finds out in about ten seconds that an idle one is
// dead, so that the first request after an outage does not use it (W10).
func NewTransport() *http.Transport {
	dialer := &net.Dialer{
		Timeout:         3 * time.Second,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3},
	}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		Protocols:              protocols,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
