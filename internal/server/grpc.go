package server

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/service"
	"github.com/audian/participant-gateway/internal/wire"
)

const (
	// minPing is how often a client may ping, without streams too.
	minPing = 5 * time.Second
	// pingAfter and pingTimeout find out that a client is gone.
	pingAfter   = 30 * time.Second
	pingTimeout = 10 * time.Second
)

// newGRPC returns the gRPC door: the service, health and reflection. A client has as
// long to greet, and as large headers, as over HTTP.
func newGRPC(
	chained v2.ParticipantServiceServer, checks *health.Server, streams *service.Streams, maxAge time.Duration,
	gate *gate, secure ...grpc.ServerOption,
) *grpc.Server {
	alive := keepalive.ServerParameters{Time: pingAfter, Timeout: pingTimeout}
	if maxAge > 0 {
		// An old connection takes no new calls. Those under way go on: each stream
		// reaches an age of its own (W18).
		alive.MaxConnectionAge = maxAge
	}
	server := grpc.NewServer(append(secure,
		grpc.ForceServerCodecV2(wire.Codec()),
		grpc.ConnectionTimeout(headerTimeout),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.InTapHandle(openCall),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.KeepaliveParams(alive),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
		grpc.StreamInterceptor(endWithDrain(streams)),
		grpc.UnknownServiceHandler(unknownMethod),
	)...)
	receiving := receiver{Server: server, timeout: requestTimeout, gate: gate}
	v2.RegisterParticipantServiceServer(receiving, chained)
	healthv1.RegisterHealthServer(receiving, checks)
	reflection.Register(receiving)
	return server
}

// unknownMethod answers calls of methods that there are not, with an ErrorInfo as all
// errors have one.
func unknownMethod(any, grpc.ServerStream) error {
	return grpcstatus.From(&apierror.Error{Reason: apierror.MethodNotAllowed, Message: "unknown method"}).Err()
}

// ourMethods is how the names of the service's methods begin.
var ourMethods = "/" + v2.ParticipantService_ServiceDesc.ServiceName + "/"

// endWithDrain ends the streams that are not ours, health Watch and reflection, when
// the gateway drains: a client that keeps one open would hold the shutdown up (W16).
func endWithDrain(streams *service.Streams) grpc.StreamServerInterceptor {
	return func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		if strings.HasPrefix(info.FullMethod, ourMethods) {
			return next(server, stream)
		}
		ctx, release := streams.Bound(stream.Context())
		defer release()
		done := make(chan error, 1)
		go func() { done <- next(server, stream) }()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			// The handler may wait for its client; it ends when this returns.
			return grpcstatus.From(context.Cause(ctx)).Err()
		}
	}
}
