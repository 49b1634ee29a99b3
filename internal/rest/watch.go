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
	"github.com/audian/participant-gateway/internal/requestctx"
)

// watch streams a conference. Until the first message nothing is written, so that
// what fails before it has its own HTTP status; what fails later is the last event.
func (a *api) watch(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	request := readFrom[*v2.WatchParticipantsRequest](r.Context())
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		// A client that reconnects repeats its URL, and with it the token it began with.
		request.ResumeToken = last
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	ctx, err := runtime.AnnotateIncomingContext(ctx, a.mux, r, v2.ParticipantService_WatchParticipants_FullMethodName)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	s := newStream(ctx, w, formatFor(r), a.jitter(retryAfterCut))
	err = a.service.WatchParticipants(request, &grpc.GenericServerStream[
		v2.WatchParticipantsRequest, v2.WatchParticipantsResponse,
	]{ServerStream: s})
	a.finish(s, r, err)
}

// retryAfterCut is when EventSource connects again after a stream that was cut.
const retryAfterCut = 2 * time.Second

// finish ends a stream as the service ended the call.
func (a *api) finish(s *stream, r *http.Request, err error) {
	started := s.stop()
	switch {
	case err == nil:
		s.last(nil)
	case !started && !endsByTheGateway(err):
		SetOutgoing(s.w.Header(), s.header)
		a.fail(s.w, r, err)
	default:
		st := grpcstatus.From(err)
		s.last(s.format.failure(st, a.retryDelay(grpcstatus.RetryDelay(st))))
	}
}

// endsByTheGateway says that the gateway ends a stream that it would have served. Such an
// end is an event even before the first message: EventSource, which connects again after
// a stream that ended, gives up for good on a status that is not 200 (W16).
func endsByTheGateway(err error) bool {
	reason := grpcstatus.Reason(grpcstatus.From(err))
	return reason == apierror.Draining || reason == apierror.StreamAged
}

// watchHead answers a HEAD with the headers that the stream would begin with, without
// opening it.
func (a *api) watchHead(w http.ResponseWriter, r *http.Request, path map[string]string) {
	var fault error
	if unreadable := requestctx.Violations(r.Context()); len(unreadable) > 0 {
		fault = &apierror.Error{
			Reason: apierror.InvalidRequest, Message: unreadable[0].Field + " " + unreadable[0].Message, Violations: unreadable,
		}
	}
	if refusal := a.screened(r, path, fault); refusal != nil {
		a.refuse(w, r, refusal)
		return
	}
	newStream(r.Context(), w, formatFor(r), 0).begin()
}

func (a *api) retryDelay(delay time.Duration) time.Duration {
	if delay == 0 {
		return 0
	}
	return a.jitter(delay)
}
