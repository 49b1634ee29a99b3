package service

import (
	"context"
	"fmt"
	"slices"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/wire"
)

// Feeds are the feeds of the watched conferences.
type Feeds interface {
	// Find returns a participant from a conference's feed, if the feed is fresh and contains
	// them.
	Find(key participant.Key, id string) (participant.Participant, bool)
	// Refresh lets a conference's feed read its next list earlier. It does not wait for it.
	Refresh(ctx context.Context, key participant.Key)
}

// sourceHeader names where the response of a Get comes from: sourceFeed or sourceList.
const (
	sourceHeader = "participant-source"
	sourceFeed   = "feed"
	sourceList   = "list"
)

// GetParticipant returns a participant from the conference's feed, or else from a list (A7).
func (s *Service) GetParticipant(
	ctx context.Context, request *v2.GetParticipantRequest,
) (*v2.GetParticipantResponse, error) {
	account, err := s.accounts.For(access.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	found, source, err := s.find(ctx, account, request.GetConferenceId(), request.GetParticipantId())
	if err != nil {
		return nil, err
	}
	setHeader(ctx, sourceHeader, source)
	return &v2.GetParticipantResponse{Participant: wire.Participant(visibleTo(ctx, found))}, nil
}

func (s *Service) find(
	ctx context.Context, account Account, conference, id string,
) (found participant.Participant, source string, err error) {
	key := participant.Key{Credential: account.Fingerprint(), Conference: conference}
	if found, held := s.feeds.Find(key, id); held {
		return found, sourceFeed, nil
	}
	list, err := account.ListShared(ctx, conference)
	if err != nil {
		return found, "", err
	}
	found, err = findListed(list, id)
	return found, sourceList, err
}

// findListed returns a participant from a list. An incomplete list does not prove that they
// are absent.
func findListed(list participant.List, id string) (participant.Participant, error) {
	i := slices.IndexFunc(list.Items, func(item participant.Item) bool { return item.ID == id })
	switch {
	case i >= 0:
		return list.Items[i].Participant, nil
	case list.Complete():
		return participant.Participant{}, &apierror.Error{
			Reason: apierror.ParticipantNotFound, Message: "the conference's list does not contain the participant",
		}
	default:
		return participant.Participant{}, incomplete(list)
	}
}

// incomplete returns the error of a list that may lack the participant.
func incomplete(list participant.List) error {
	if list.PageErr == nil {
		return &apierror.Error{
			Reason:  apierror.UpstreamIncomplete,
			Message: fmt.Sprintf("the upstream lists %d of %d participants, and not this one", list.Read, *list.Total),
		}
	}
	cause := apierror.From(list.PageErr)
	return &apierror.Error{
		Reason: apierror.UpstreamIncomplete, Message: "a later page of the upstream's list could not be read",
		RetryAfter: cause.RetryAfter, UpstreamStatus: cause.UpstreamStatus, UpstreamRequestID: cause.UpstreamRequestID,
		Cause: list.PageErr,
	}
}
