package service

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// Chain wraps a service in interceptors once, for both doors: gRPC serves the result,
// and grpc-gateway and the HTTP watch call it without a connection in between.
func Chain(
	next v2.ParticipantServiceServer, unary grpc.UnaryServerInterceptor, stream grpc.StreamServerInterceptor,
) v2.ParticipantServiceServer {
	return &chained{next: next, unary: unary, stream: stream}
}

type chained struct {
	v2.UnimplementedParticipantServiceServer

	next   v2.ParticipantServiceServer
	unary  grpc.UnaryServerInterceptor
	stream grpc.StreamServerInterceptor
}

func (c *chained) AddParticipant(
	ctx context.Context, request *v2.AddParticipantRequest,
) (*v2.AddParticipantResponse, error) {
	return intercept(ctx, c, v2.ParticipantService_AddParticipant_FullMethodName, request, c.next.AddParticipant)
}

func (c *chained) RemoveParticipant(
	ctx context.Context, request *v2.RemoveParticipantRequest,
) (*v2.RemoveParticipantResponse, error) {
	return intercept(ctx, c, v2.ParticipantService_RemoveParticipant_FullMethodName, request, c.next.RemoveParticipant)
}

func (c *chained) ListParticipants(
	ctx context.Context, request *v2.ListParticipantsRequest,
) (*v2.ListParticipantsResponse, error) {
	return intercept(ctx, c, v2.ParticipantService_ListParticipants_FullMethodName, request, c.next.ListParticipants)
}

// intercept makes one unary call through the interceptors.
func intercept[Request, Response proto.Message](
	ctx context.Context, c *chained, method string, request Request,
	call func(context.Context, Request) (Response, error),
) (Response, error) {
	info := &grpc.UnaryServerInfo{Server: c.next, FullMethod: method}
	answer, err := c.unary(ctx, request, info, func(ctx context.Context, _ any) (any, error) {
		return call(ctx, request)
	})
	response, _ := answer.(Response)
	return response, err
}

func (c *chained) WatchParticipants(
	request *v2.WatchParticipantsRequest, stream v2.ParticipantService_WatchParticipantsServer,
) error {
	info := &grpc.StreamServerInfo{
		FullMethod:     v2.ParticipantService_WatchParticipants_FullMethodName,
		IsServerStream: true,
	}
	return c.stream(&opened{Server: c.next, Request: request}, stream, info, func(_ any, stream grpc.ServerStream) error {
		return c.next.WatchParticipants(request, &grpc.GenericServerStream[
			v2.WatchParticipantsRequest, v2.WatchParticipantsResponse,
		]{ServerStream: stream})
	})
}

// opened is what stream interceptors get as the server: the request of a
// server-streaming call has been read before they run.
type opened struct {
	Server  any
	Request proto.Message
}

// StreamRequest gives the request of a server-streaming call to its interceptors.
func StreamRequest(server any) proto.Message {
	if call, ok := server.(*opened); ok {
		return call.Request
	}
	return nil
}
