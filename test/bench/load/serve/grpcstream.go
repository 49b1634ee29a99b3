package serve

import (
	"context"
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	gateway "github.com/audian/participant-gateway/gen/gateway/audian/conference/v2"
)

// encoded is a codec for messages that are bytes already.
type encoded struct{}

func (encoded) Name() string { return "proto" }

func (encoded) Marshal(message any) (mem.BufferSlice, error) {
	bytes, ok := message.([]byte)
	if !ok {
		return nil, fmt.Errorf("message is %T, not bytes", message)
	}
	return mem.BufferSlice{mem.SliceBuffer(bytes)}, nil
}

// Unmarshal ignores the request.
func (encoded) Unmarshal(mem.BufferSlice, any) error { return nil }

// serveGRPCStream sends messages that were encoded once.
func serveGRPCStream(ctx context.Context, listener net.Listener, o Options) error {
	message, err := proto.Marshal(event(o.Size))
	if err != nil {
		return fmt.Errorf("encode the event: %w", err)
	}
	p := publish(ctx, o.Rate, message)
	server := grpc.NewServer(grpc.ForceServerCodecV2(encoded{}))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: v2.ParticipantService_ServiceDesc.ServiceName,
		Streams: []grpc.StreamDesc{{
			StreamName: "WatchParticipants", ServerStreams: true,
			Handler: func(_ any, stream grpc.ServerStream) error { return p.stream(stream) },
		}},
	}, nil)
	return serveGRPC(listener, server)
}

func (p *publisher) stream(stream grpc.ServerStream) error {
	if err := stream.RecvMsg(nil); err != nil {
		return err
	}
	events, cancel := p.subscribe()
	defer cancel()
	for {
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case event := <-events:
			if err := stream.SendMsg(event); err != nil {
				return err
			}
		}
	}
}

// event is a message of about a size.
func event(size int) *v2.WatchParticipantsResponse {
	return &v2.WatchParticipantsResponse{ResumeToken: strings.Repeat("x", size)}
}

// serveGRPCGatewayStream is grpc-gateway's default way of streaming: a mux that calls a gRPC
// server over loopback, and encodes each message for each stream as JSON.
func serveGRPCGatewayStream(ctx context.Context, listener net.Listener, o Options) error {
	server := grpc.NewServer()
	v2.RegisterParticipantServiceServer(server, &watchService{publisher: publish(ctx, o.Rate, nil), event: event(o.Size)})
	return serveThroughGRPC(ctx, listener, server)
}

// watchService sends one message at each event.
type watchService struct {
	v2.UnimplementedParticipantServiceServer

	publisher *publisher
	event     *v2.WatchParticipantsResponse
}

func (s *watchService) WatchParticipants(
	_ *v2.WatchParticipantsRequest, stream grpc.ServerStreamingServer[v2.WatchParticipantsResponse],
) error {
	events, cancel := s.publisher.subscribe()
	defer cancel()
	for {
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-events:
			if err := stream.Send(s.event); err != nil {
				return fmt.Errorf("send: %w", err)
			}
		}
	}
}

func serveGRPC(listener net.Listener, server *grpc.Server) error {
	if err := server.Serve(listener); err != nil {
		return fmt.Errorf("serve gRPC: %w", err)
	}
	return nil
}

// serveThroughGRPC serves REST by grpc-gateway, which calls the gRPC server in the same
// process over loopback.
func serveThroughGRPC(ctx context.Context, listener net.Listener, server *grpc.Server) error {
	var config net.ListenConfig
	inner, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer server.Stop()
	go func() { _ = server.Serve(inner) }()
	mux := runtime.NewServeMux()
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if err := gateway.RegisterParticipantServiceHandlerFromEndpoint(ctx, mux, inner.Addr().String(), options); err != nil {
		return fmt.Errorf("connect to the gRPC server: %w", err)
	}
	return serveHTTP(listener, mux)
}
