package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

// send sends the messages of a subscription to its client. A blocked SendMsg cannot be
// cancelled; every transport ends it only when the handler returns. So another goroutine sends,
// and this function returns when that one stalls.
func send(ctx context.Context, subscription *watch.Subscription, stream grpc.ServerStream) error {
	// gRPC sends the bytes that all streams share. Compressing them for each stream would also
	// hide how much a client has read. Other transports ignore the setting.
	_ = grpc.SetSendCompressor(ctx, encoding.Identity)
	s := &sender{
		subscription: subscription, stream: stream,
		stalls: newStallDetector(), finished: make(chan struct{}),
	}
	go s.run(ctx)
	select {
	case <-s.finished:
		return s.err
	case <-s.stalls.stalled:
		return errBlocked
	case <-ctx.Done():
	}
	select {
	case <-s.finished:
		return s.err
	case <-time.After(watch.LastSendTimeout):
		return context.Cause(ctx)
	}
}

var errBlocked = &apierror.Error{
	Reason:  apierror.ClientBlocked,
	Message: "the client has not read for a minute; call again with the last resume_token",
}

type sender struct {
	subscription *watch.Subscription
	stream       grpc.ServerStream
	stalls       *stallDetector
	// finished is closed when the sending has ended. err is set then.
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
	defer s.stalls.end()
	for {
		message, err := s.subscription.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.stalls.begin()
		err = s.stream.SendMsg(wire.NewMessage(message).OnProgress(s.stalls.progress))
		s.stalls.end()
		if err != nil {
			return err
		}
	}
}
