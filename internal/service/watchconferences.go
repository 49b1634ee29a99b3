package service

import (
	"context"

	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

// WatchConferences streams several conferences (A16). A conference ends alone, unless the reason
// concerns the caller or the gateway.
func (s *Service) WatchConferences(
	request *v2.WatchConferencesRequest, stream grpc.ServerStreamingServer[v2.WatchConferencesResponse],
) error {
	ctx := stream.Context()
	caller := access.FromContext(ctx)
	account, err := s.accounts.For(caller)
	if err != nil {
		return err
	}
	filter := wire.Filter(request.GetStatuses(), request.GetRoles(), nil)
	filter.MaskNumbers = masksNumbers(ctx)
	messages := conferences{release: make([]func(), len(request.GetWatches()))}
	subscribed := make([]watch.GroupRequest, len(request.GetWatches()))
	for i, position := range request.GetWatches() {
		permission := access.Permission{Role: access.Viewer, Conference: position.GetConferenceId()}
		allowed, release := caller.Grant.StreamContext(ctx, permission)
		messages.release[i] = release
		subscribed[i] = watch.GroupRequest{Allowed: allowed, Request: watch.Request{
			Account:     account,
			Conference:  position.GetConferenceId(),
			ResumeToken: position.GetResumeToken(),
			Filter:      filter,
			Heartbeat:   heartbeat(request.GetHeartbeatInterval()),
			Stream:      requestctx.Stream(ctx),
		}}
	}
	messages.group = s.watcher.SubscribeAll(subscribed)
	return sendWatch(ctx, messages, stream)
}

// conferences is the source of a stream of several conferences.
type conferences struct {
	group *watch.Group
	// release ends the contexts of the caller's rights.
	release []func()
}

// Next returns the next message. Of the rights that a caller may lose, only that to one conference
// ends the conference alone.
func (c conferences) Next(ctx context.Context) (*wire.Message, error) {
	event, err := c.group.Next(ctx)
	switch {
	case err != nil:
		return nil, err
	case event.Err == nil:
		return wire.NewConferenceMessage(event.Conference, event.Message), nil
	case event.NotAllowed && apierror.ReasonOf(event.Err) != apierror.ConferenceNotGranted:
		return nil, event.Err
	default:
		return wire.NewRefusal(event.Conference, event.Err), nil
	}
}

// Close ends all subscriptions.
func (c conferences) Close() {
	c.group.Close()
	for _, release := range c.release {
		release()
	}
}
