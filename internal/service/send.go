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

// source returns the messages of a stream. Next returns io.EOF after the last one.
type source interface {
	Next(ctx context.Context) (*wire.Message, error)
	Close()
}

// conference is the source of a stream of one conference.
type conference struct{ *watch.Subscription }

// Next returns the next message.
func (c conference) Next(ctx context.Context) (*wire.Message, error) {
	message, err := c.Subscription.Next(ctx)
	if err != nil {
		return nil, err
	}
	return wire.NewMessage(message), nil
}

// send sends the messages of a subscription to its client.
func send(ctx context.Context, subscription *watch.Subscription, stream grpc.ServerStream) error {
	return sendFrom(ctx, conference{subscription}, stream)
}

// sendFrom sends the messages of a source to its client, and closes the source. A blocked SendMsg cannot be
// cancelled; every transport ends it only when the handler returns. So another goroutine sends,
// and this function returns when that one stalls.
func sendFrom(ctx context.Context, messages source, stream grpc.ServerStream) error {
	// gRPC sends the bytes that all streams share. Compressing them for each stream would also
	// hide how much a client has read. Other transports ignore the setting.
	_ = grpc.SetSendCompressor(ctx, encoding.Identity)
	s := &sender{
		messages: messages, stream: stream,
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
	messages source
	stream   grpc.ServerStream
	stalls   *stallDetector
	// finished is closed when the sending has ended. err is set then.
	finished chan struct{}
	err      error
}

// run sends until the source ends.
func (s *sender) run(ctx context.Context) {
	defer close(s.finished)
	defer s.messages.Close()
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
		message, err := s.messages.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.stalls.begin()
		err = s.stream.SendMsg(message.OnProgress(s.stalls.progress))
		s.stalls.end()
		if err != nil {
			return err
		}
	}
}
