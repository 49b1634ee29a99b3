package server

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/service"
)

// admit authenticates the caller, then authorises the call, and only then looks at what
// is asked: a stranger learns nothing about requests, nor a reader about adds.
func (g *gate) admit(ctx context.Context, call *call) (context.Context, error) {
	caller, err := g.authorise(ctx, presentedIn(ctx), call.request)
	call.caller = caller.Name
	if err != nil {
		call.peer = peerAddress(ctx)
		return ctx, err
	}
	if err := g.bound(caller, call.request); err != nil {
		return ctx, fmt.Errorf("limit: %w", err)
	}
	if err := checkCounts(call.request); err != nil {
		return ctx, fmt.Errorf("check the request: %w", err)
	}
	if err := g.validator.Check(service.WithIdempotencyKey(ctx, call.request), call.request); err != nil {
		return ctx, fmt.Errorf("check the request: %w", err)
	}
	return access.NewContext(ctx, caller), nil
}

// callerFirst puts the caller's fault before that of a gRPC request which cannot be read: a
// stranger learns nothing about requests. Other services than ours need no credential.
func (g *gate) callerFirst(ctx context.Context, method string, fault error) error {
	if !strings.HasPrefix(method, ourMethods) || ctx.Err() != nil {
		return fault
	}
	if _, err := g.policy.Authenticate(ctx, presentedIn(ctx)); err != nil {
		return fmt.Errorf("admit: %w", err)
	}
	return fault
}

// presentedIn are the credentials of a call.
func presentedIn(ctx context.Context) access.Credentials {
	incoming, _ := metadata.FromIncomingContext(ctx)
	return access.Credentials{
		Authorization: incoming.Get(headerAuthorization),
		AuthToken:     incoming.Get(headerAuthToken),
		Peer:          peerName(ctx),
	}
}

// authorise tells who calls, and refuses those who may not.
func (g *gate) authorise(
	ctx context.Context, presented access.Credentials, request proto.Message,
) (access.Caller, error) {
	presented.Peer = peerName(ctx)
	caller, err := g.policy.Authenticate(ctx, presented)
	if err != nil {
		return access.Caller{}, fmt.Errorf("admit: %w", err)
	}
	if err := caller.Grant.Authorize(needOf(request)); err != nil {
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
		return requestTooLarge()
	}
	return nil
}

// maxListed is how many words or ids a field may list: checking the rules of each costs
// more than reading them.
const maxListed = 100

// checkCounts refuses a request that lists too much, before its rules are checked.
func checkCounts(request proto.Message) error {
	var violations []apierror.Violation
	request.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.IsList() && field.Message() == nil && value.List().Len() > maxListed {
			violations = append(violations, apierror.Violation{
				Field: string(field.Name()), Rule: "count", Message: fmt.Sprintf("must list at most %d values", maxListed),
			})
		}
		return true
	})
	if len(violations) == 0 {
		return nil
	}
	return &apierror.Error{
		Reason:     apierror.InvalidRequest,
		Message:    violations[0].Field + " " + violations[0].Message,
		Violations: violations,
	}
}

// screen is asked by the HTTP door about a request that it cannot read: who may not
// make it is to be told that, and not what is wrong with it.
func (g *gate) screen(ctx context.Context, presented access.Credentials, request proto.Message) error {
	caller, err := g.authorise(ctx, presented, request)
	if err != nil {
		g.logger.LogAttrs(ctx, slog.LevelWarn, "request refused",
			slog.String("caller", caller.Name),
			slog.String("request_id", requestctx.RequestID(ctx)),
			slog.String("peer", peerAddress(ctx)),
			slog.String("reason", string(apierror.ReasonOf(err))))
	}
	return err
}

// needOf is what a request takes. Whatever does not only read needs a writer.
func needOf(request proto.Message) access.Permission {
	need := access.Permission{Role: access.Writer}
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
