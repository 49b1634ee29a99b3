package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/jitter"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// watch streams a conference. Nothing is written before the first message, so that an
// earlier error has its HTTP status; a later error is the last event.
func (a *api) watch(w http.ResponseWriter, r *http.Request, path map[string]string) {
	if isHead(r.Context()) {
		a.watchHead(w, r, path)
		return
	}
	request, _ := r.Context().Value(requestKey{}).(*v2.WatchParticipantsRequest)
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		// EventSource reconnects with the same URL, and with the token in it.
		request.ResumeToken = last
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	ctx, err := runtime.AnnotateIncomingContext(ctx, a.mux, r, v2.ParticipantService_WatchParticipants_FullMethodName)
	if err != nil {
		a.Errors.Write(w, r, err)
		return
	}
	s := newStream(ctx, w, formatFor(r), jitter.Above(reconnectDelay, reconnectSpread))
	err = a.Service.WatchParticipants(request, &grpc.GenericServerStream[
		v2.WatchParticipantsRequest, v2.WatchParticipantsResponse,
	]{ServerStream: s})
	a.finish(s, r, err)
}

const (
	// reconnectDelay is how long EventSource waits after a stream that was cut off.
	reconnectDelay = 2 * time.Second
	// reconnectSpread is the share by which such delays are longer, so that clients do not
	// reconnect at the same time.
	reconnectSpread = 0.5
)

// finish ends the response with the error of the call.
func (a *api) finish(s *stream, r *http.Request, err error) {
	s.Stop()
	switch {
	case err == nil:
		s.last(nil)
	case !s.w.Started() && !endedByGateway(err):
		a.Errors.Write(s.w, r, err)
	default:
		st := grpcstatus.From(err)
		s.last(s.format.failure(st, jitter.Above(grpcstatus.RetryDelay(st), reconnectSpread)))
	}
}

// endedByGateway reports whether the gateway ended a stream that it would have served.
// Such an end is an event even before the first message: EventSource reconnects after a
// stream that ended, but never after a status other than 200 (W16).
func endedByGateway(err error) bool {
	reason := grpcstatus.Reason(grpcstatus.From(err))
	return reason == apierror.Draining || reason == apierror.StreamAged
}

// watchHead answers a HEAD with the headers that the stream would start with, without
// opening it.
func (a *api) watchHead(w http.ResponseWriter, r *http.Request, path map[string]string) {
	var fault error
	if violations := requestctx.Violations(r.Context()); len(violations) > 0 {
		fault = &apierror.Error{
			Reason: apierror.InvalidRequest, Message: violations[0].Field + " " + violations[0].Message, Violations: violations,
		}
	}
	if refusal := a.refusal(r, path, fault); refusal != nil {
		a.Errors.Refuse(w, r, refusal)
		return
	}
	newStream(r.Context(), w, formatFor(r), 0).start()
}
