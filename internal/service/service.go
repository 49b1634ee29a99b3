// Package service implements the gRPC service. Every transport calls it, through package
// interceptor.
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

// Account is the upstream account of a caller.
type Account interface {
	feed.Account
	write.Upstream

	// List lists a conference, with retries.
	List(ctx context.Context, conference string) (participant.List, error)
}

// Accounts returns the account of a caller.
type Accounts interface {
	For(caller access.Caller) (Account, error)
}

// Service implements the methods of the API.
type Service struct {
	v2.UnimplementedParticipantServiceServer

	accounts Accounts
	writer   *write.Writer
	watcher  *watch.Watcher
}

// New returns a service that expects authorized and valid requests, from package interceptor.
func New(accounts Accounts, writer *write.Writer, watcher *watch.Watcher) *Service {
	return &Service{accounts: accounts, writer: writer, watcher: watcher}
}

// AddParticipant calls a phone number (A1, A2).
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

// replayedHeader marks the response of an earlier Add with the same request id (A2).
const replayedHeader = "idempotency-replayed"

// markReplayed ignores the error: SetHeader fails only after the headers were sent.
func markReplayed(ctx context.Context) {
	_ = grpc.SetHeader(ctx, metadata.Pairs(replayedHeader, "true"))
}

// RemoveParticipant ends a participant's call.
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

// call returns the account, key and caller of a write.
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

// ListParticipants reads the list from the upstream, not from a feed.
func (s *Service) ListParticipants(
	ctx context.Context, request *v2.ListParticipantsRequest,
) (*v2.ListParticipantsResponse, error) {
	filter := wire.Filter(request.GetStatuses(), request.GetRoles(), nil)
	after, err := parsePageToken(request.GetPageToken(), filter)
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
