package rest

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

const requestIDHeader = "X-Request-Id"

// incoming says under which metadata key a header reaches the service. All others
// stay out, so that no caller can send what only this side may add; grpc-gateway
// itself passes Authorization on and makes a deadline of Grpc-Timeout.
func incoming(header string) (key string, passed bool) {
	switch header {
	case "X-Auth-Token", requestIDHeader, "Traceparent", "Accept-Language":
		return strings.ToLower(header), true
	default:
		return "", false
	}
}

// nothing of the service's metadata goes out by grpc-gateway, which would add to
// headers that are set already.
func nothing(string) (header string, passed bool) { return "", false }

// outgoing are the headers that the service answers with.
var outgoing = []string{requestIDHeader, "Idempotency-Replayed"}

// setOutgoing sets the headers that the service answered a unary call with.
func setOutgoing(header http.Header, ctx context.Context) { //nolint:revive // The header is what it is about.
	if answered, known := runtime.ServerMetadataFromContext(ctx); known {
		setHeader(header, answered.HeaderMD)
	}
}

func setHeader(header http.Header, answered metadata.MD) {
	for _, name := range outgoing {
		if values := answered.Get(name); len(values) > 0 {
			header.Set(name, values[len(values)-1])
		}
	}
}

// identified gives every request an id, the caller's own where it is a fit one, and
// every answer the same.
func identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !isRequestID(id) {
			id = rand.Text()
		}
		r.Header.Set(requestIDHeader, id)
		w.Header().Set(requestIDHeader, id)
		next.ServeHTTP(w, r)
	})
}

// isRequestID keeps out what would read badly in a log or break a header.
func isRequestID(id string) bool {
	isStrange := func(char rune) bool { return char <= ' ' || char > '~' }
	return id != "" && len(id) <= 128 && !strings.ContainsFunc(id, isStrange)
}

// caller is the peer as gRPC's own server tells it.
func caller(r *http.Request) *peer.Peer {
	known := &peer.Peer{Addr: &net.TCPAddr{}}
	if address, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		known.Addr = net.TCPAddrFromAddrPort(address)
	}
	if r.TLS != nil {
		known.AuthInfo = credentials.TLSInfo{State: *r.TLS}
	}
	return known
}
