package service

import (
	"context"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/answer"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/wire"
	"github.com/audian/participant-gateway/internal/write"
)

// AddParticipant calls a phone number (A1, A2), and waits for the outcome of the phone call if
// the request asks for that (A11).
func (s *Service) AddParticipant(
	ctx context.Context, request *v2.AddParticipantRequest,
) (*v2.AddParticipantResponse, error) {
	start := time.Now()
	account, err := s.accounts.For(access.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	calling := s.policyOf(ctx)
	if err := calling.CheckNumber(request.GetPhoneNumber()); err != nil {
		return nil, err
	}
	if request.GetValidateOnly() {
		if err := calling.Check(ctx); err != nil {
			return nil, err
		}
		return addResponse(planned(request)), nil
	}
	added, err := s.add(ctx, account, request)
	if err != nil {
		return nil, err
	}
	result := added.Participant.Participant
	if request.GetWaitForAnswer() {
		call := answer.Call{Account: account, Participant: result, AnsweredAt: added.AnsweredAt}
		if result, err = s.answers.Wait(ctx, call, answer.Until(ctx, start)); err != nil {
			return nil, err
		}
	}
	return addResponse(result), nil
}

// add makes the upstream dial, or returns the outcome of an earlier add with the same
// request id.
func (s *Service) add(ctx context.Context, account Account, request *v2.AddParticipantRequest) (write.Added, error) {
	call := s.callOf(ctx, account, request.GetConferenceId())
	call.RequestID = request.GetRequestId()
	added, err := s.writer.Add(ctx, call, addOf(request))
	if added.Replayed {
		setHeader(ctx, replayedHeader, "true")
	}
	return added, err
}

func addOf(request *v2.AddParticipantRequest) participant.Add {
	return participant.Add{
		PhoneNumber:   request.GetPhoneNumber(),
		Name:          request.GetName(),
		Role:          wire.Role(request.GetRole()),
		Muted:         request.GetMuted(),
		SendPINViaSMS: request.GetSendPinViaSms(),
	}
}

// planned returns the participant that a request would add, without what only the upstream
// knows (A10).
func planned(request *v2.AddParticipantRequest) participant.Participant {
	add := addOf(request)
	return participant.Participant{
		ConferenceID: request.GetConferenceId(),
		PhoneNumber:  add.PhoneNumber,
		Name:         add.Name,
		Role:         add.Role,
		Muted:        add.Muted,
	}
}

func addResponse(p participant.Participant) *v2.AddParticipantResponse {
	return &v2.AddParticipantResponse{Participant: wire.Participant(p)}
}

// replayedHeader marks the response of an earlier Add with the same request id (A2).
const replayedHeader = "idempotency-replayed"
