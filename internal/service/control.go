package service

import (
	"context"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/wire"
)

// MuteParticipant mutes a participant (A8).
func (s *Service) MuteParticipant(
	ctx context.Context, request *v2.MuteParticipantRequest,
) (*v2.MuteParticipantResponse, error) {
	changed, err := s.control(ctx, request, participant.ControlMute)
	if err != nil {
		return nil, err
	}
	return &v2.MuteParticipantResponse{Participant: changed}, nil
}

// UnmuteParticipant ends the muting of a participant (A8).
func (s *Service) UnmuteParticipant(
	ctx context.Context, request *v2.UnmuteParticipantRequest,
) (*v2.UnmuteParticipantResponse, error) {
	changed, err := s.control(ctx, request, participant.ControlUnmute)
	if err != nil {
		return nil, err
	}
	return &v2.UnmuteParticipantResponse{Participant: changed}, nil
}

// HoldParticipant puts a participant on hold (A8).
func (s *Service) HoldParticipant(
	ctx context.Context, request *v2.HoldParticipantRequest,
) (*v2.HoldParticipantResponse, error) {
	changed, err := s.control(ctx, request, participant.ControlHold)
	if err != nil {
		return nil, err
	}
	return &v2.HoldParticipantResponse{Participant: changed}, nil
}

// ResumeParticipant ends the hold of a participant (A8).
func (s *Service) ResumeParticipant(
	ctx context.Context, request *v2.ResumeParticipantRequest,
) (*v2.ResumeParticipantResponse, error) {
	changed, err := s.control(ctx, request, participant.ControlResume)
	if err != nil {
		return nil, err
	}
	return &v2.ResumeParticipantResponse{Participant: changed}, nil
}

// DisconnectParticipant ends a participant's call (A8).
func (s *Service) DisconnectParticipant(
	ctx context.Context, request *v2.DisconnectParticipantRequest,
) (*v2.DisconnectParticipantResponse, error) {
	changed, err := s.control(ctx, request, participant.ControlDisconnect)
	if err != nil {
		return nil, err
	}
	return &v2.DisconnectParticipantResponse{Participant: changed}, nil
}

// MuteAllParticipants asks the upstream to mute the participants of a conference (A8).
func (s *Service) MuteAllParticipants(
	ctx context.Context, request *v2.MuteAllParticipantsRequest,
) (*v2.MuteAllParticipantsResponse, error) {
	call, err := s.call(ctx, request.GetConferenceId())
	if err != nil {
		return nil, err
	}
	if err := s.writer.MuteAll(ctx, call); err != nil {
		return nil, err
	}
	return &v2.MuteAllParticipantsResponse{}, nil
}

// controlRequest names the participant of a control.
type controlRequest interface {
	GetConferenceId() string
	GetParticipantId() string
}

// control returns the participant in the upstream's answer, nil if it contained none.
func (s *Service) control(
	ctx context.Context, request controlRequest, control participant.Control,
) (*v2.Participant, error) {
	call, err := s.call(ctx, request.GetConferenceId())
	if err != nil {
		return nil, err
	}
	item, err := s.writer.Control(ctx, call, request.GetParticipantId(), control)
	if err != nil || item.Fields == 0 {
		return nil, err
	}
	if !item.Fields.Has(control.Field()) {
		// The control was carried out, so that the default of the missing field would be wrong.
		item.Participant = control.ApplyTo(item.Participant)
	}
	return wire.Participant(item.Participant), nil
}
