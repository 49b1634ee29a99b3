package interceptor

import (
	"context"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

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
