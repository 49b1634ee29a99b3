package server

import (
	"context"
	"fmt"
	"log/slog"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/service"
)

// admit authenticates the caller, then authorises the call, and only then looks at what
// is asked: a stranger learns nothing about requests, nor a reader about adds.
func (g *gate) admit(ctx context.Context, call *call) (context.Context, error) {
	incoming, _ := metadata.FromIncomingContext(ctx)
	caller, err := g.authorise(ctx, access.Presented{
		Authorization: incoming.Get(headerAuthorization),
		AuthToken:     incoming.Get(headerAuthToken),
	}, call.request)
	call.caller = caller.Name
	if err != nil {
		call.peer = peerAddress(ctx)
		return ctx, err
	}
	if err := g.bound(caller, call.request); err != nil {
		return ctx, fmt.Errorf("limit: %w", err)
	}
	if err := g.validator.Check(service.WithIdempotencyKey(ctx, call.request), call.request); err != nil {
		return ctx, fmt.Errorf("check the request: %w", err)
	}
	return access.With(ctx, caller), nil
}

// authorise tells who calls, and refuses those who may not.
func (g *gate) authorise(
	ctx context.Context, presented access.Presented, request proto.Message,
) (access.Caller, error) {
	presented.Peer = peerName(ctx)
	caller, err := g.policy.Admit(ctx, presented)
	if err != nil {
		return access.Caller{}, fmt.Errorf("admit: %w", err)
	}
	if err := caller.Grant.Allow(needOf(request)); err != nil {
		return caller, fmt.Errorf("authorise: %w", err)
	}
	return caller, nil
}

// bound holds a call to the limits that can be told before it is made.
func (g *gate) bound(caller access.Caller, request proto.Message) error {
	if err := g.limiter.Call(caller); err != nil {
		return err
	}
	if proto.Size(request) > maxRequest {
		return &participant.Error{
			Reason:  participant.BodyTooLarge,
			Message: fmt.Sprintf("the request must be at most %d bytes", maxRequest),
		}
	}
	return nil
}

// screen is asked by the HTTP door about a request that it cannot read: who may not
// make it is to be told that, and not what is wrong with it.
func (g *gate) screen(ctx context.Context, presented access.Presented, request proto.Message) error {
	caller, err := g.authorise(ctx, presented, request)
	if err != nil {
		g.logger.LogAttrs(ctx, slog.LevelWarn, "request refused",
			slog.String("caller", caller.Name),
			slog.String("request_id", participant.RequestID(ctx)),
			slog.String("peer", peerAddress(ctx)),
			slog.String("reason", string(participant.ReasonOf(err))))
	}
	return err
}

// needOf is what a request takes. Whatever does not only read needs a writer.
func needOf(request proto.Message) access.Need {
	need := access.Need{Role: access.Writer}
	switch request.(type) {
	case *v2.ListParticipantsRequest, *v2.WatchParticipantsRequest:
		need.Role = access.Reader
	}
	if named, ok := request.(interface{ GetConferenceId() string }); ok {
		need.Conference = named.GetConferenceId()
	}
	return need
}

// peerAddress is where a call came from: all that there is to say of a caller who was
// not admitted.
func peerAddress(ctx context.Context) string {
	client, known := peer.FromContext(ctx)
	if !known || client.Addr == nil {
		return ""
	}
	return client.Addr.String()
}
