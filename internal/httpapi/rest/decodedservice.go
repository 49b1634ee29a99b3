package rest

import (
	"context"

	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
)

// decodedService passes the requests that decode stored to the service, in place of the ones that
// grpc-gateway makes. The headers that the service sets become the response's at once:
// grpc-gateway would copy them several times.
type decodedService struct{ v2.ParticipantServiceServer }

// withDecoded calls a method of the service with the decoded request.
func withDecoded[Request, Response any](
	ctx context.Context, method func(context.Context, *Request) (*Response, error),
) (*Response, error) {
	routed := routedFrom(ctx)
	request, _ := routed.request.(*Request)
	return method(grpc.NewContextWithServerTransportStream(ctx, httpio.UnaryStream(routed.header)), request)
}

func (s decodedService) AddParticipant(ctx context.Context, _ *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
	return withDecoded(ctx, s.ParticipantServiceServer.AddParticipant)
}

func (s decodedService) RemoveParticipant(ctx context.Context, _ *v2.RemoveParticipantRequest) (*v2.RemoveParticipantResponse, error) {
	return withDecoded(ctx, s.ParticipantServiceServer.RemoveParticipant)
}

func (s decodedService) ListParticipants(ctx context.Context, _ *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
	return withDecoded(ctx, s.ParticipantServiceServer.ListParticipants)
}

func (s decodedService) GetParticipant(ctx context.Context, _ *v2.GetParticipantRequest) (*v2.GetParticipantResponse, error) {
	return withDecoded(ctx, s.ParticipantServiceServer.GetParticipant)
}

func (s decodedService) MuteParticipant(ctx context.Context, _ *v2.MuteParticipantRequest) (*v2.MuteParticipantResponse, error) {
	return withDecoded(ctx, s.ParticipantServiceServer.MuteParticipant)
}

func (s decodedService) UnmuteParticipant(ctx context.Context, _ *v2.UnmuteParticipantRequest) (*v2.UnmuteParticipantResponse, error) {
	return withDecoded(ctx, s.ParticipantServiceServer.UnmuteParticipant)
}

func (s decodedService) HoldParticipant(ctx context.Context, _ *v2.HoldParticipantRequest) (*v2.HoldParticipantResponse, error) {
	return withDecoded(ctx, s.ParticipantServiceServer.HoldParticipant)
}

func (s decodedService) ResumeParticipant(ctx context.Context, _ *v2.ResumeParticipantRequest) (*v2.ResumeParticipantResponse, error) {
	return withDecoded(ctx, s.ParticipantServiceServer.ResumeParticipant)
}

func (s decodedService) DisconnectParticipant(
	ctx context.Context, _ *v2.DisconnectParticipantRequest,
) (*v2.DisconnectParticipantResponse, error) {
	return withDecoded(ctx, s.ParticipantServiceServer.DisconnectParticipant)
}

func (s decodedService) MuteAllParticipants(
	ctx context.Context, _ *v2.MuteAllParticipantsRequest,
) (*v2.MuteAllParticipantsResponse, error) {
	return withDecoded(ctx, s.ParticipantServiceServer.MuteAllParticipants)
}

func (s decodedService) RefreshParticipants(
	ctx context.Context, _ *v2.RefreshParticipantsRequest,
) (*v2.RefreshParticipantsResponse, error) {
	return withDecoded(ctx, s.ParticipantServiceServer.RefreshParticipants)
}
