package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

const (
	// blockedFor is how long a send may wait for its client (W12).
	blockedFor = time.Minute
	// blockedAtEnd is how long it may when the stream is to end anyway (W16).
	blockedAtEnd = 2 * time.Second
)

// send passes a subscription on to its client. A send that blocks cannot be called
// back: both doors end it when this returns. So the sending has a goroutine of its own,
// and this one watches over it.
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
