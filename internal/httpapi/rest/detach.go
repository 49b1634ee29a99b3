package rest

import (
	"context"
	"net/http"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/detached"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
)

// detachment is what a stream needs to go on after its handler has returned.
type detachment struct {
	// call is nil if the stream cannot be detached.
	call *detached.Call
	// cancel ends the stream's context, and keep keeps it when the request's context ends.
	cancel context.CancelFunc
	keep   func() bool
}

// beginStream returns the context of a stream. Only a watch over HTTP/1 can be detached: over HTTP/2
// streams share a connection, and net/http writes to it.
func beginStream(w http.ResponseWriter, r *http.Request, method string) (context.Context, detachment) {
	if method != v2.ParticipantService_WatchParticipants_FullMethodName || !httpio.CanTakeOver(w, r) {
		ctx, cancel := context.WithCancel(r.Context())
		return ctx, detachment{cancel: cancel}
	}
	call := &detached.Call{}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	keep := context.AfterFunc(r.Context(), cancel)
	return detached.NewContext(ctx, call), detachment{call, cancel, keep}
}

// handlerReturns ends the context, unless the stream is detached.
func (d detachment) handlerReturns() {
	if d.call.Stream() == nil {
		d.cancel()
	}
}

// detach goes on with a stream on its connection, after the head of the response.
func (a *api) detach(s *stream, r *http.Request, d detachment, retry time.Duration) {
	d.keep()
	s.w.Header().Set("Connection", "close")
	s.start()
	s.w.Flush()
	a.Detached.Add(1) // Before http.Server forgets the connection.
	conn, err := httpio.TakeOver(s.w, r)
	if err != nil { // Only if somebody else has taken it over.
		d.cancel()
		d.call.Stream().Source.Close()
		_ = d.call.End(err)
		a.Detached.Done()
		return
	}
	stream := &detachedStream{Stream: d.call.Stream(), call: d.call, conn: conn, format: s.format, ended: a.Detached.Done}
	go stream.run(retry)
	go func() {
		if conn.WaitForClose() {
			d.cancel()
		}
	}()
}
