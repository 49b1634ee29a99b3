package rest

import (
	"context"
	"net/http"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/detached"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
)

// offerDetaching lets the service detach a watch over HTTP/1. Over HTTP/2 streams share a connection,
// to which net/http writes. The call is nil if the stream cannot be detached.
func offerDetaching(ctx context.Context, w http.ResponseWriter, r *http.Request, method string) (context.Context, *detached.Call) {
	if method != v2.ParticipantService_WatchParticipants_FullMethodName || !httpio.CanTakeOver(w, r) {
		return ctx, nil
	}
	call := &detached.Call{}
	return detached.NewContext(ctx, call), call
}

// detach goes on with a stream on its connection, after the head of the response. Nothing of the
// request is kept.
func (a *api) detach(s *stream, r *http.Request, call *detached.Call, retry time.Duration) {
	s.w.Header().Set("Connection", "close")
	s.start()
	s.w.Flush()
	a.Detached.Add(1) // Before http.Server forgets the connection.
	conn, err := httpio.TakeOver(s.w, r)
	if err != nil { // Only if somebody else has taken it over.
		call.Stream().Source.Close()
		_ = call.End(err)
		a.Detached.Done()
		return
	}
	stream := &detachedStream{
		call: call, Stream: call.Stream(), logger: a.Errors.Logger, conn: conn, format: s.format, ended: a.Detached.Done,
	}
	conn.NotifyClose(func() { call.Cancel(context.Canceled) })
	go stream.run(retry)
}
