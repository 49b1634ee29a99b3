package client

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

var errSilent = errors.New("silent")

// streamCall is one call of a stream of M.
type streamCall[M any] struct {
	open func(context.Context, v2.ParticipantServiceClient) (grpc.ServerStreamingClient[M], error)
	// silence is the longest wait for a message.
	silence time.Duration
	// apply handles a message. done ends the call without an error.
	apply func(*M) (done bool, failed *Error)
}

// run makes the call. It returns nil if apply was done, else why the stream broke. If the
// stream was silent, later calls use a new connection, because this one may be dead.
func (s streamCall[M]) run(ctx context.Context, l *link) *Error {
	conn, err := l.acquire()
	if err != nil {
		return errorOf(err)
	}
	defer l.release(conn)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The timer runs only while this function waits for the network, not while apply runs.
	timer := time.AfterFunc(s.silence, func() { cancel(errSilent) })
	defer timer.Stop()

	messages, err := s.open(ctx, v2.NewParticipantServiceClient(conn))
	for err == nil {
		var message *M
		if message, err = messages.Recv(); err != nil {
			break
		}
		timer.Stop()
		if done, failed := s.apply(message); done || failed != nil {
			return failed
		}
		timer.Reset(s.silence)
	}
	switch {
	case errors.Is(context.Cause(ctx), errSilent):
		l.replace(conn)
		return &Error{Code: codes.Unavailable, Reason: ReasonSilent, Message: "no message for " + s.silence.String()}
	case errors.Is(err, io.EOF):
		return &Error{Code: codes.Unavailable, Reason: ReasonStreamEnded, Message: "the stream ended before its last message"}
	default:
		return errorOf(err)
	}
}
