// Package service implements the gRPC service. Every transport calls it, through package
// interceptor.
package service

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/answer"
	"github.com/audian/participant-gateway/internal/batch"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/policy"
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
	// ListShared lists a conference together with other calls. The list may lack later pages,
	// and must not be changed.
	ListShared(ctx context.Context, conference string) (participant.List, error)
}

// Accounts returns the account of a caller.
type Accounts interface {
	For(caller access.Caller) (Account, error)
}

// Options are the parts that a Service uses.
type Options struct {
	Accounts Accounts
	Writer   *write.Writer
	Watcher  *watch.Watcher
	Feeds    Feeds
	Answers  *answer.Waiter
	Batches  *batch.Batches
	Policy   *policy.Policy
}

// Service implements the methods of the API.
type Service struct {
	// A call that Service does not have fails the build.
	v2.UnsafeParticipantServiceServer

	accounts Accounts
	writer   *write.Writer
	watcher  *watch.Watcher
	feeds    Feeds
	answers  *answer.Waiter
	batches  *batch.Batches
	policy   *policy.Policy
}

// New returns a service that expects authorized and valid requests, from package interceptor.
func New(options Options) *Service {
	return &Service{
		accounts: options.Accounts, writer: options.Writer, watcher: options.Watcher, feeds: options.Feeds,
		answers: options.Answers, batches: options.Batches, policy: options.Policy,
	}
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
	account, err := s.accounts.For(access.FromContext(ctx))
	if err != nil {
		return write.Call{}, err
	}
	return s.callOf(ctx, account, conference), nil
}

func (s *Service) callOf(ctx context.Context, account Account, conference string) write.Call {
	return write.Call{
		Key:        participant.Key{Credential: account.Fingerprint(), Conference: conference},
		Upstream:   account,
		Caller:     access.FromContext(ctx).Name,
		DailyLimit: s.policyOf(ctx),
	}
}

// policyOf returns the calling policy of a call's caller (A14).
func (s *Service) policyOf(ctx context.Context) policy.Caller {
	caller := access.FromContext(ctx)
	return s.policy.For(caller.Name, caller.Grant.Calling())
}

// ListParticipants reads the list from the upstream, not from a feed.
func (s *Service) ListParticipants(
	ctx context.Context, request *v2.ListParticipantsRequest,
) (*v2.ListParticipantsResponse, error) {
	filter := wire.Filter(request.GetStatuses(), request.GetRoles(), nil)
	filter.MaskNumbers = masksNumbers(ctx)
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

// setHeader sets a header of the response. It ignores the error: SetHeader fails only after the
// headers were sent.
func setHeader(ctx context.Context, name, value string) {
	_ = grpc.SetHeader(ctx, metadata.Pairs(name, value))
}
