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

const (
	// blockedFor is how long a send may make no progress (W12).
	blockedFor = wire.SendTimeout
	// blockedAtEnd is how long it may when the stream is to end anyway (W16).
	blockedAtEnd = wire.LastTimeout
)

// send passes a subscription on to its client. A send that blocks cannot be called
// back: every transport ends it when this returns. So the sending has a goroutine of its
// own, and this one watches over it.
func send(ctx context.Context, subscription *watch.Subscription, stream grpc.ServerStream) error {
	// Over gRPC messages go out as they are encoded for all: to compress them anew for each
	// stream would also hide how much its client has read. Other transports have no such
	// setting.
	_ = grpc.SetSendCompressor(ctx, encoding.Identity)
	s := &sender{
		subscription: subscription, stream: stream,
		guard: newGuard(), finished: make(chan struct{}),
	}
	go s.run(ctx)
	select {
	case <-s.finished:
		return s.err
	case <-s.guard.blocked:
		return errBlocked
	case <-ctx.Done():
	}
	select {
	case <-s.finished:
		return s.err
	case <-time.After(blockedAtEnd):
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
	guard        *guard
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
	defer s.guard.end()
	for {
		message, err := s.subscription.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.guard.begin()
		err = s.stream.SendMsg(wire.NewMessage(message).OnProgress(s.guard.progress))
		s.guard.end()
		if err != nil {
			return err
		}
	}
}
