package interceptor

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// Wrap returns the service with the interceptor around each call. gRPC serves the result;
// HTTP calls it in the same process, without a connection.
func (i *Interceptor) Wrap(service v2.ParticipantServiceServer) v2.ParticipantServiceServer {
	return &wrapped{service: service, interceptor: i}
}

type wrapped struct {
	// A call that wrapped does not have fails the build.
	v2.UnsafeParticipantServiceServer

	service     v2.ParticipantServiceServer
	interceptor *Interceptor
}

func (w *wrapped) AddParticipant(
	ctx context.Context, request *v2.AddParticipantRequest,
) (*v2.AddParticipantResponse, error) {
	return unary(ctx, w, v2.ParticipantService_AddParticipant_FullMethodName, request, w.service.AddParticipant)
}

func (w *wrapped) RemoveParticipant(
	ctx context.Context, request *v2.RemoveParticipantRequest,
) (*v2.RemoveParticipantResponse, error) {
	return unary(ctx, w, v2.ParticipantService_RemoveParticipant_FullMethodName, request, w.service.RemoveParticipant)
}

func (w *wrapped) ListParticipants(
	ctx context.Context, request *v2.ListParticipantsRequest,
) (*v2.ListParticipantsResponse, error) {
	return unary(ctx, w, v2.ParticipantService_ListParticipants_FullMethodName, request, w.service.ListParticipants)
}

func (w *wrapped) GetParticipant(
	ctx context.Context, request *v2.GetParticipantRequest,
) (*v2.GetParticipantResponse, error) {
	return unary(ctx, w, v2.ParticipantService_GetParticipant_FullMethodName, request, w.service.GetParticipant)
}

func (w *wrapped) RefreshParticipants(
	ctx context.Context, request *v2.RefreshParticipantsRequest,
) (*v2.RefreshParticipantsResponse, error) {
	return unary(ctx, w, v2.ParticipantService_RefreshParticipants_FullMethodName, request, w.service.RefreshParticipants)
}

func (w *wrapped) MuteParticipant(
	ctx context.Context, request *v2.MuteParticipantRequest,
) (*v2.MuteParticipantResponse, error) {
	return unary(ctx, w, v2.ParticipantService_MuteParticipant_FullMethodName, request, w.service.MuteParticipant)
}

func (w *wrapped) UnmuteParticipant(
	ctx context.Context, request *v2.UnmuteParticipantRequest,
) (*v2.UnmuteParticipantResponse, error) {
	return unary(ctx, w, v2.ParticipantService_UnmuteParticipant_FullMethodName, request, w.service.UnmuteParticipant)
}

func (w *wrapped) HoldParticipant(
	ctx context.Context, request *v2.HoldParticipantRequest,
) (*v2.HoldParticipantResponse, error) {
	return unary(ctx, w, v2.ParticipantService_HoldParticipant_FullMethodName, request, w.service.HoldParticipant)
}

func (w *wrapped) ResumeParticipant(
	ctx context.Context, request *v2.ResumeParticipantRequest,
) (*v2.ResumeParticipantResponse, error) {
	return unary(ctx, w, v2.ParticipantService_ResumeParticipant_FullMethodName, request, w.service.ResumeParticipant)
}

func (w *wrapped) DisconnectParticipant(
	ctx context.Context, request *v2.DisconnectParticipantRequest,
) (*v2.DisconnectParticipantResponse, error) {
	return unary(ctx, w, v2.ParticipantService_DisconnectParticipant_FullMethodName, request, w.service.DisconnectParticipant)
}

func (w *wrapped) MuteAllParticipants(
	ctx context.Context, request *v2.MuteAllParticipantsRequest,
) (*v2.MuteAllParticipantsResponse, error) {
	return unary(ctx, w, v2.ParticipantService_MuteAllParticipants_FullMethodName, request, w.service.MuteAllParticipants)
}

func unary[Request, Response proto.Message](
	ctx context.Context, w *wrapped, method string, request Request,
	call func(context.Context, Request) (Response, error),
) (Response, error) {
	result, err := w.interceptor.unary(ctx, method, request, func(ctx context.Context, _ any) (any, error) {
		return call(ctx, request)
	})
	response, _ := result.(Response)
	return response, err
}

func (w *wrapped) WatchParticipants(
	request *v2.WatchParticipantsRequest, stream v2.ParticipantService_WatchParticipantsServer,
) error {
	return streaming(w, v2.ParticipantService_WatchParticipants_FullMethodName, request, stream, w.service.WatchParticipants)
}

func (w *wrapped) WatchConferences(
	request *v2.WatchConferencesRequest, stream v2.ParticipantService_WatchConferencesServer,
) error {
	return streaming(w, v2.ParticipantService_WatchConferences_FullMethodName, request, stream, w.service.WatchConferences)
}

func (w *wrapped) BatchAddParticipants(
	request *v2.BatchAddParticipantsRequest, stream v2.ParticipantService_BatchAddParticipantsServer,
) error {
	return streaming(w, v2.ParticipantService_BatchAddParticipants_FullMethodName, request, stream, w.service.BatchAddParticipants)
}

func streaming[Request, Response any, Pointer interface {
	*Request
	proto.Message
}](
	w *wrapped, method string, request Pointer, stream grpc.ServerStream,
	call func(Pointer, grpc.ServerStreamingServer[Response]) error,
) error {
	if typed, isTyped := stream.(*grpc.GenericServerStream[Request, Response]); isTyped {
		stream = typed.ServerStream // Each wrapper costs something for each message.
	}
	return w.interceptor.stream(method, request, stream, func(stream grpc.ServerStream) error {
		return call(request, &grpc.GenericServerStream[Request, Response]{ServerStream: stream})
	})
}
