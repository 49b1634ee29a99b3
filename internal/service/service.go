// Package service is the gRPC service: it says what a call may ask, makes it, and answers.
// Both doors come here by one path, so that whatever holds for one holds for the other.
package service

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
	"github.com/audian/participant-gateway/internal/write"
)

// Account is the upstream account that a call goes to.
type Account interface {
	feed.Account
	write.Upstream

	// List lists a conference for a caller, with retries.
	List(ctx context.Context, conference string) (participant.List, error)
}

// Accounts finds the account of a caller.
type Accounts interface {
	For(caller access.Caller) (Account, error)
}

// Service answers the four calls.
type Service struct {
	v2.UnimplementedParticipantServiceServer

	accounts Accounts
	writer   *write.Writer
	watcher  *watch.Watcher
	streams  *Streams
}

// New returns the service. Its calls are to come through Chain, with a Validator in it.
func New(accounts Accounts, writer *write.Writer, watcher *watch.Watcher, streams *Streams) *Service {
	return &Service{accounts: accounts, writer: writer, watcher: watcher, streams: streams}
}

// AddParticipant dials (A1, A2).
func (s *Service) AddParticipant(
	ctx context.Context, request *v2.AddParticipantRequest,
) (*v2.AddParticipantResponse, error) {
	call, err := s.call(ctx, request.GetConferenceId())
	if err != nil {
		return nil, err
	}
	call.RequestID = request.GetRequestId()
	added, err := s.writer.Add(ctx, call, addOf(request))
	if added.Replayed {
		markReplayed(ctx)
	}
	if err != nil {
		return nil, err
	}
	return &v2.AddParticipantResponse{Participant: wire.Participant(added.Participant.Participant)}, nil
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

// replayedHeader marks an answer that was given before (A2).
const replayedHeader = "idempotency-replayed"

// markReplayed fails only where the headers have gone already, which they have not.
func markReplayed(ctx context.Context) {
	_ = grpc.SetHeader(ctx, metadata.Pairs(replayedHeader, "true"))
}

// RemoveParticipant ends a call.
func (s *Service) RemoveParticipant(
	ctx context.Context, request *v2.RemoveParticipantRequest,
) (*v2.RemoveParticipantResponse, error) {
	call, err := s.call(ctx, request.GetConferenceId())
	if err != nil {
		return nil, err
	}
	if err := s.writer.Remove(ctx, call, request.GetParticipantId()); err != nil {
		return nil, err
	}
	return &v2.RemoveParticipantResponse{}, nil
}

// call says whose a write is.
func (s *Service) call(ctx context.Context, conference string) (write.Call, error) {
	caller := access.FromContext(ctx)
	account, err := s.accounts.For(caller)
	if err != nil {
		return write.Call{}, err
	}
	return write.Call{
		Key:      participant.Key{Credential: account.Fingerprint(), Conference: conference},
		Upstream: account,
		Caller:   caller.Name,
	}, nil
}

// ListParticipants reads the upstream as it is now.
func (s *Service) ListParticipants(
	ctx context.Context, request *v2.ListParticipantsRequest,
) (*v2.ListParticipantsResponse, error) {
	filter := wire.Filter(request.GetStatuses(), request.GetRoles(), nil)
	after, err := readPageToken(request.GetPageToken(), filter)
	if err != nil {
		return nil, err
	}
	account, err := s.accounts.For(access.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	list, err := account.List(ctx, request.GetConferenceId())
	if err != nil {
		return nil, err
	}
	return page(list, filter, request.GetPageSize(), after), nil
}
