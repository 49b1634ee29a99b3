package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

// defaultHeartbeat is the heartbeat interval of those who name none (W13).
const defaultHeartbeat = 15 * time.Second

const (
	// blockedFor is how long a send may wait for its client (W12).
	blockedFor = time.Minute
	// blockedAtEnd is how long it may when the stream is to end anyway (W16).
	blockedAtEnd = 2 * time.Second
)

// WatchParticipants streams a conference until its client, its conference, or the
// gateway ends it.
func (s *Service) WatchParticipants(
	request *v2.WatchParticipantsRequest, stream v2.ParticipantService_WatchParticipantsServer,
) error {
	ctx, stop := s.streams.Bound(stream.Context())
	defer stop()
	account, err := s.accounts.For(access.From(ctx))
	if err != nil {
		return err
	}
	subscription, err := s.watcher.Subscribe(watch.Request{
		Account:     account,
		Conference:  request.GetConferenceId(),
		ResumeToken: request.GetResumeToken(),
		Filter:      wire.Filter(request.GetStatuses(), request.GetRoles(), request.GetParticipantIds()),
		Heartbeat:   heartbeat(request.GetHeartbeatInterval()),
	})
	if err != nil {
		return err
	}
	return send(ctx, subscription, stream)
}

func heartbeat(asked *durationpb.Duration) time.Duration {
	if asked == nil {
		return defaultHeartbeat
	}
	return asked.AsDuration()
}

// send passes a subscription on to its client. A send that blocks cannot be called
// back: over gRPC it ends when this returns, over HTTP when the stream is cut. So the
// sending has a goroutine of its own, and this one watches over it.
func send(ctx context.Context, subscription *watch.Subscription, stream grpc.ServerStream) error {
	s := &sender{
		subscription: subscription, stream: stream,
		blocked: make(chan struct{}), finished: make(chan struct{}),
	}
	go s.run(ctx)
	select {
	case <-s.finished:
		return s.err
	case <-s.blocked:
		return s.cut(errBlocked)
	case <-ctx.Done():
	}
	select {
	case <-s.finished:
		return s.err
	case <-time.After(blockedAtEnd):
		return s.cut(context.Cause(ctx))
	}
}

var errBlocked = &participant.Error{
	Reason:  participant.ClientBlocked,
	Message: "the client has not read for a minute; call again with the last resume_token",
}

type sender struct {
	subscription *watch.Subscription
	stream       grpc.ServerStream
	// blocked is closed when a send has waited for too long.
	blocked chan struct{}
	// finished is closed when nothing more is sent, for the reason err.
	finished chan struct{}
	err      error
}

// run sends until the subscription ends.
func (s *sender) run(ctx context.Context) {
	defer close(s.finished)
	defer s.subscription.Close()
	defer func() {
		if panicked := recover(); panicked != nil {
			s.err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	s.err = s.sendAll(ctx)
}

func (s *sender) sendAll(ctx context.Context) error {
	guard := time.AfterFunc(blockedFor, sync.OnceFunc(func() { close(s.blocked) }))
	defer guard.Stop()
	for {
		guard.Stop()
		message, err := s.subscription.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		guard.Reset(blockedFor)
		if err := s.stream.SendMsg(wire.NewMessage(message)); err != nil {
			return err
		}
	}
}

// cutter is a stream that can end a blocked send from outside.
type cutter interface{ Cut() }

// cut ends a stream whose client does not read. A gRPC stream is cut by returning.
func (s *sender) cut(cause error) error {
	if stream, ok := s.stream.(cutter); ok {
		stream.Cut()
		<-s.finished
	}
	return cause
}
