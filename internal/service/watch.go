package service

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/detached"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

// defaultHeartbeat is the heartbeat interval of a request without one (W13).
const defaultHeartbeat = 15 * time.Second

// WatchParticipants streams a conference until the client, the conference or the gateway ends
// the stream.
func (s *Service) WatchParticipants(
	request *v2.WatchParticipantsRequest, stream v2.ParticipantService_WatchParticipantsServer,
) error {
	ctx := stream.Context()
	account, err := s.accounts.For(access.FromContext(ctx))
	if err != nil {
		return err
	}
	filter := wire.Filter(request.GetStatuses(), request.GetRoles(), request.GetParticipantIds())
	filter.MaskNumbers = masksNumbers(ctx)
	subscription, err := s.watcher.Subscribe(ctx, watch.Request{
		Account:     account,
		Conference:  request.GetConferenceId(),
		ResumeToken: request.GetResumeToken(),
		Filter:      filter,
		Heartbeat:   heartbeat(request.GetHeartbeatInterval()),
		Stream:      requestctx.Stream(ctx),
	})
	if err != nil {
		return err
	}
	if call := detached.FromContext(ctx); call != nil {
		return detach(ctx, subscription, call)
	}
	return send(ctx, subscription, stream)
}

func heartbeat(requested *durationpb.Duration) time.Duration {
	if requested == nil {
		return defaultHeartbeat
	}
	return requested.AsDuration()
}
