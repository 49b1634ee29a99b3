package interceptor

import (
	"context"
	"fmt"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/certs"
	"github.com/audian/participant-gateway/internal/wire"
)

// authorize authenticates the caller, authorizes the call, and only then checks the request:
// a caller who may not make the call learns nothing about its rules. The returned context
// contains the caller.
func (i *Interceptor) authorize(ctx context.Context, call *call) (context.Context, error) {
	caller, err := i.allow(ctx, credentialsOf(ctx), call.request)
	call.caller = caller.Name
	if err != nil {
		call.peer = peerAddress(ctx)
		return ctx, err
	}
	if err := i.limiter.Call(caller); err != nil {
		return ctx, fmt.Errorf("limit: %w", err)
	}
	if err := CheckSize(call.request, proto.Size(call.request)); err != nil {
		return ctx, fmt.Errorf("limit: %w", err)
	}
	if err := i.validator.check(withIdempotencyKey(ctx, call.request), call.request); err != nil {
		return ctx, fmt.Errorf("check the request: %w", err)
	}
	return access.NewContext(ctx, caller), nil
}

// CheckSize refuses a request with too many bytes.
func CheckSize(request proto.Message, size int) error {
	limit := wire.RequestLimit(request)
	if size <= limit {
		return nil
	}
	return &apierror.Error{
		Reason:  apierror.BodyTooLarge,
		Message: fmt.Sprintf("the request must be at most %d bytes", limit),
	}
}

// Authenticate checks the credentials of a call whose request cannot be read.
func (i *Interceptor) Authenticate(ctx context.Context) error {
	if _, err := i.authenticator.Authenticate(ctx, credentialsOf(ctx)); err != nil {
		return fmt.Errorf("authenticate: %w", err)
	}
	return nil
}

// Precheck authorizes an HTTP request that cannot be read completely: the error of a caller
// who may not make the call goes before the errors of the request.
func (i *Interceptor) Precheck(ctx context.Context, creds access.Credentials, request proto.Message) error {
	caller, err := i.allow(ctx, creds, request)
	if err != nil {
		i.logPrecheck(ctx, caller.Name, err)
	}
	return err
}

// allow authenticates the caller and authorizes the call.
func (i *Interceptor) allow(
	ctx context.Context, creds access.Credentials, request proto.Message,
) (access.Caller, error) {
	creds.Peer = peerName(ctx)
	caller, err := i.authenticator.Authenticate(ctx, creds)
	if err != nil {
		return access.Caller{}, fmt.Errorf("authenticate: %w", err)
	}
	if err := caller.Grant.Authorize(permissionFor(request)); err != nil {
		return caller, fmt.Errorf("authorize: %w", err)
	}
	caller.SeesNumbers = caller.Grant.Role() >= access.Reader
	return caller, nil
}

// streamPermission returns the permission that a stream needs for as long as it lasts: one that
// shows phone numbers in full needs the reader role too.
func streamPermission(caller access.Caller, request proto.Message) access.Permission {
	permission := permissionFor(request)
	if caller.SeesNumbers {
		permission.Role = max(permission.Role, access.Reader)
	}
	return permission
}

// permissionFor returns the permission that a request needs: the viewer role for calls that only
// read and for hints, the writer role for all others.
func permissionFor(request proto.Message) access.Permission {
	permission := access.Permission{Role: access.Writer}
	switch request.(type) {
	case *v2.ListParticipantsRequest, *v2.WatchParticipantsRequest, *v2.GetParticipantRequest,
		*v2.RefreshParticipantsRequest:
		permission.Role = access.Viewer
	case *v2.WatchConferencesRequest:
		permission.Role, permission.AnyConference = access.Viewer, true
	}
	if named, ok := request.(interface{ GetConferenceId() string }); ok {
		permission.Conference = named.GetConferenceId()
	}
	return permission
}

// credentialsOf returns the credentials of a call.
func credentialsOf(ctx context.Context) access.Credentials {
	return access.Credentials{
		Authorization: metadata.ValueFromIncomingContext(ctx, headerAuthorization),
		AuthToken:     metadata.ValueFromIncomingContext(ctx, headerAuthToken),
		Peer:          peerName(ctx),
	}
}

// peerName returns the name in the verified client certificate, or the empty string.
func peerName(ctx context.Context) string {
	client, known := peer.FromContext(ctx)
	if !known {
		return ""
	}
	info, isTLS := client.AuthInfo.(credentials.TLSInfo)
	if !isTLS {
		return ""
	}
	return certs.PeerName(info.State)
}

// peerAddress returns the client's network address, or the empty string.
func peerAddress(ctx context.Context) string {
	client, known := peer.FromContext(ctx)
	if !known || client.Addr == nil {
		return ""
	}
	return client.Addr.String()
}
