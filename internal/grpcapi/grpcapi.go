// Package grpcapi serves the gRPC port. It reads requests itself, because what grpc-go refuses
// has no ErrorInfo, and a request that never arrives has no time limit there.
package grpcapi

import (
	"context"
	"crypto/tls"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/interceptor"
	"github.com/audian/participant-gateway/internal/wire"
)

// minPing is the shortest interval at which a client may send pings, also without streams.
const minPing = 5 * time.Second

// Options configure the server.
type Options struct {
	// Service is the service that Interceptor wraps.
	Service     v2.ParticipantServiceServer
	Interceptor *interceptor.Interceptor
	Streams     *interceptor.Streams
	Health      *health.Server
	// Connections are the limits that the HTTP port has too.
	Connections Connections
	// MaxAge is the maximum age of a connection, 0 for none (W18).
	MaxAge time.Duration
	// TLS is nil for plain text.
	TLS *tls.Config
}

// Connections are the limits of client connections.
type Connections struct {
	// HandshakeTimeout is the time within which a client must complete the handshake.
	HandshakeTimeout time.Duration
	MaxHeaderBytes   uint32
	MaxStreams       uint32
	// A client that sends nothing for PingAfter gets a ping, and is disconnected if it does
	// not answer within PingTimeout.
	PingAfter, PingTimeout time.Duration
}

// New returns a server with the service, health and reflection.
func New(o Options) *grpc.Server {
	alive := keepalive.ServerParameters{Time: o.Connections.PingAfter, Timeout: o.Connections.PingTimeout}
	if o.MaxAge > 0 {
		// An old connection takes no new calls; each stream has its own maximum age.
		alive.MaxConnectionAge = o.MaxAge
	}
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(wire.Codec()),
		grpc.ConnectionTimeout(o.Connections.HandshakeTimeout),
		grpc.MaxHeaderListSize(o.Connections.MaxHeaderBytes),
		grpc.InTapHandle(beforeCall(o.Interceptor)),
		grpc.MaxConcurrentStreams(o.Connections.MaxStreams),
		grpc.KeepaliveParams(alive),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
		grpc.StreamInterceptor(endWithDrain(o.Streams)),
		grpc.UnknownServiceHandler(unknownMethod),
	}
	if o.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(o.TLS)))
	}
	server := grpc.NewServer(options...)
	registrar := receiver{Server: server, timeout: requestTimeout, interceptor: o.Interceptor}
	v2.RegisterParticipantServiceServer(registrar, o.Service)
	healthv1.RegisterHealthServer(registrar, o.Health)
	reflection.Register(registrar)
	return server
}

// unknownMethod answers with an ErrorInfo, which grpc-go's own answer does not have.
func unknownMethod(any, grpc.ServerStream) error {
	return grpcstatus.From(&apierror.Error{Reason: apierror.MethodNotAllowed, Message: "unknown method"}).Err()
}

// methodPrefix begins the names of the participant service's methods.
var methodPrefix = "/" + v2.ParticipantService_ServiceDesc.ServiceName + "/"

// endWithDrain ends health watches and reflection streams when the gateway drains: an open
// one would hold up the shutdown (W16).
func endWithDrain(streams *interceptor.Streams) grpc.StreamServerInterceptor {
	return func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		if strings.HasPrefix(info.FullMethod, methodPrefix) {
			return next(server, stream)
		}
		ctx, remove := streams.StreamContext(stream.Context())
		defer remove()
		done := make(chan error, 1)
		go func() { done <- next(server, stream) }()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			// The handler may wait for its client. It ends when this function returns.
			return grpcstatus.From(context.Cause(ctx)).Err()
		}
	}
}
