package rest

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/audian/participant-gateway/internal/requestctx"
)

const (
	requestIDHeader   = "X-Request-Id"
	traceparentHeader = "Traceparent"
)

// incoming says under which metadata key a header reaches the service. All others
// stay out, so that no caller can send what only this side may add; grpc-gateway
// itself passes Authorization on and makes a deadline of Grpc-Timeout.
func incoming(header string) (key string, passed bool) {
	switch header {
	case "X-Auth-Token", requestIDHeader, traceparentHeader, "Accept-Language", "Idempotency-Key":
		return strings.ToLower(header), true
	default:
		return "", false
	}
}

// Incoming is the metadata that a call without grpc-gateway brings to the service: the
// same that it brings with it.
func Incoming(header http.Header) metadata.MD {
	md := metadata.MD{}
	for name, values := range header {
		if key, passed := incoming(name); passed {
			md[key] = values
		}
	}
	if presented := header.Values("Authorization"); len(presented) > 0 {
		md["authorization"] = presented
	}
	return md
}

// nothing of the service's metadata goes out by grpc-gateway, which would add to
// headers that are set already.
func nothing(string) (header string, passed bool) { return "", false }

// outgoing are the headers that the service answers with.
var outgoing = []string{requestIDHeader, "Idempotency-Replayed"}

// setOutgoing sets the headers that the service answered a unary call with.
func setOutgoing(header http.Header, ctx context.Context) { //nolint:revive // The header is what it is about.
	if answered, known := runtime.ServerMetadataFromContext(ctx); known {
		SetOutgoing(header, answered.HeaderMD)
	}
}

// SetOutgoing sets the headers that the service answered with.
func SetOutgoing(header http.Header, answered metadata.MD) {
	for _, name := range outgoing {
		if values := answered.Get(name); len(values) > 0 {
			header.Set(name, values[len(values)-1])
		}
	}
}

// identified gives every request an id and a trace context, the caller's own where
// they are fit, and every answer the same.
func identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := requestctx.ValidRequestID(r.Header.Get(requestIDHeader))
		trace := requestctx.ValidTraceparent(r.Header.Get(traceparentHeader))
		for _, header := range []http.Header{r.Header, w.Header()} {
			header.Set(requestIDHeader, id)
			header.Set(traceparentHeader, trace)
		}
		next.ServeHTTP(w, r)
	})
}

// PeerOf is the peer as gRPC's own server tells it.
func PeerOf(r *http.Request) *peer.Peer {
	known := &peer.Peer{Addr: &net.TCPAddr{}}
	if address, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		known.Addr = net.TCPAddrFromAddrPort(address)
	}
	if r.TLS != nil {
		known.AuthInfo = credentials.TLSInfo{State: *r.TLS}
	}
	return known
}
