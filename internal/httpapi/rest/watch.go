package rest

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/jitter"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
)

// watch streams a conference.
func (a *api) watch(w http.ResponseWriter, r *http.Request, path map[string]string) {
	if request, _ := routedFrom(r.Context()).request.(*v2.WatchParticipantsRequest); r.Header.Get("Last-Event-ID") != "" {
		// EventSource reconnects with the same URL, and with the token in it.
		request.ResumeToken = r.Header.Get("Last-Event-ID")
	}
	serveStream(a, w, r, path, v2.ParticipantService_WatchParticipants_FullMethodName, a.Service.WatchParticipants)
}

// watchMany streams several conferences.
func (a *api) watchMany(w http.ResponseWriter, r *http.Request, path map[string]string) {
	if r.Method == http.MethodGet {
		r = r.WithContext(requestctx.WithFieldNames(r.Context(), queryNames))
	}
	serveStream(a, w, r, path, v2.ParticipantService_WatchConferences_FullMethodName, a.Service.WatchConferences)
}

// batchAdd adds the entries of a batch.
func (a *api) batchAdd(w http.ResponseWriter, r *http.Request, path map[string]string) {
	serveStream(a, w, r, path, v2.ParticipantService_BatchAddParticipants_FullMethodName, a.Service.BatchAddParticipants)
}

// queryNames replaces the path of a field by the name of the parameter that sets it.
var queryNames = strings.NewReplacer("watches", "conference_ids", ".conference_id", "")

// serveStream serves a method that streams. Nothing is written before the first message, so
// that an earlier error has its HTTP status; a later error is the last event.
func serveStream[Request, Response any](
	a *api, w http.ResponseWriter, r *http.Request, path map[string]string,
	method string, invoke func(*Request, grpc.ServerStreamingServer[Response]) error,
) {
	routed := routedFrom(r.Context())
	if routed.head {
		a.watchHead(w, r, path)
		return
	}
	request, _ := routed.request.(*Request)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	ctx, call := offerDetaching(ctx, w, r, method)
	ctx, err := runtime.AnnotateIncomingContext(ctx, a.mux, r, method)
	if err != nil {
		a.Errors.Write(w, r, err)
		return
	}
	retry := jitter.Above(reconnectDelay, reconnectSpread)
	if wire.Dials(method) {
		retry = 0 // An EventSource cannot call it.
	}
	form := formatFor(r)
	s := newStream(requestctx.WithTransport(ctx, form.transport()), w, form, retry)
	err = invoke(request, &grpc.GenericServerStream[Request, Response]{ServerStream: s})
	if call.Stream() != nil {
		a.detach(s, r, call, retry) //nolint:contextcheck // The stream outlives the request.
		return
	}
	a.finish(s, r, method, err)
}

const (
	// reconnectDelay is how long EventSource waits after a stream that was cut off.
	reconnectDelay = 2 * time.Second
	// reconnectSpread is the share by which such delays are longer, so that clients do not
	// reconnect at the same time.
	reconnectSpread = 0.5
)

// finish ends the response with the error of the call.
func (a *api) finish(s *stream, r *http.Request, method string, err error) {
	s.Stop()
	switch {
	case err == nil:
		s.last(nil)
	case !s.w.Started() && (wire.Dials(method) || !endedByGateway(err)):
		a.Errors.Write(s.w, r, err)
	default:
		st := grpcstatus.From(err)
		s.last(s.format.failure(st, jitter.Above(grpcstatus.RetryDelay(st), reconnectSpread)))
	}
}

// endedByGateway reports whether the gateway ended a watch that it would have served.
// Such an end is an event even before the first message: EventSource reconnects after a
// stream that ended, but never after a status other than 200 (W16).
func endedByGateway(err error) bool {
	reason := grpcstatus.Reason(grpcstatus.From(err))
	return reason == apierror.Draining || reason == apierror.StreamAged || reason == apierror.StreamEnded
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
