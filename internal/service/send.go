package service

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

// source returns the messages of a stream. Next returns io.EOF after the last one.
type source interface {
	Next(ctx context.Context) (*wire.Message, error)
	Close()
}

// conference is the source of a stream of one conference.
type conference struct {
	*watch.Subscription

	// message is the one that Next has returned.
	message wire.Message
}

// Next returns the next message, which is valid until the next call.
func (c *conference) Next(ctx context.Context) (*wire.Message, error) {
	message, err := c.Subscription.Next(ctx)
	if err != nil {
		return nil, err
	}
	return c.message.Set(message), nil
}

// send sends the messages of a subscription to its client.
func send(ctx context.Context, subscription *watch.Subscription, stream v2.ParticipantService_WatchParticipantsServer) error {
	return sendWatch(ctx, &conference{Subscription: subscription}, untyped[v2.WatchParticipantsRequest](stream))
}

// untyped returns the stream that a typed one sends through: each wrapper costs something for each
// message.
func untyped[Request, Response any](stream grpc.ServerStreamingServer[Response]) grpc.ServerStream {
	if typed, isTyped := stream.(*grpc.GenericServerStream[Request, Response]); isTyped {
		return wire.Target(typed.ServerStream)
	}
	return stream
}

// sendWatch sends the messages of a watch to its client, and closes the source. It needs no
// other goroutine where the transport can end a call whose SendMsg is blocked.
func sendWatch(ctx context.Context, messages source, stream grpc.ServerStream) error {
	if call, canEnd := grpc.ServerTransportStreamFromContext(ctx).(statusWriter); canEnd {
		return sendHere(ctx, messages, stream, call)
	}
	return sendFrom(ctx, messages, stream)
}

// sendFrom sends the messages of a source to its client, and closes the source. A blocked SendMsg
// ends only when the handler returns. So another goroutine sends, and this function returns when
// that one stalls.
func sendFrom(ctx context.Context, messages source, stream grpc.ServerStream) error {
	stalled, finished := make(chan struct{}), make(chan error, 1)
	s := newSender(messages, stream, sync.OnceFunc(func() { close(stalled) }))
	go func() { finished <- s.run(ctx) }()
	select {
	case err := <-finished:
		return err
	case <-stalled:
		return errBlocked
	case <-ctx.Done():
	}
	select {
	case err := <-finished:
		return err
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
	// progress is stalls.progress.
	progress func()
	stalls   stallDetector
}

// newSender returns a sender that calls onStall when a send stalls.
func newSender(messages source, stream grpc.ServerStream, onStall func()) *sender {
	s := &sender{messages: messages, stream: stream, stalls: stallDetector{onStall: onStall}}
	s.progress = s.stalls.progress
	return s
}

// run is sendAll for a goroutine of its own.
func (s *sender) run(ctx context.Context) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = panics.Error(panicked)
		}
	}()
	return s.sendAll(ctx)
}

// sendAll sends until the source ends, and closes it.
func (s *sender) sendAll(ctx context.Context) error {
	defer s.messages.Close()
	defer s.stalls.stop()
	// gRPC sends the bytes that all streams share. Compressing them for each stream would also
	// hide how much a client has read. Other transports ignore the setting.
	_ = grpc.SetSendCompressor(ctx, encoding.Identity)
	for {
		message, err := s.messages.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.stalls.begin()
		err = s.stream.SendMsg(message.OnProgress(s.progress))
		s.stalls.end()
		if err != nil {
			return err
		}
	}
}
