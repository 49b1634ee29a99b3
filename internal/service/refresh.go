package service

import (
	"context"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/participant"
)

// RefreshParticipants brings the next list of a watched conference forward (A12).
func (s *Service) RefreshParticipants(
	ctx context.Context, request *v2.RefreshParticipantsRequest,
) (*v2.RefreshParticipantsResponse, error) {
	account, err := s.accounts.For(access.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	s.feeds.Refresh(ctx, participant.Key{Credential: account.Fingerprint(), Conference: request.GetConferenceId()})
	return &v2.RefreshParticipantsResponse{}, nil
}
