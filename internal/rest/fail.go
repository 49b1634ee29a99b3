package rest

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// fail answers with an error. Nothing of the answer may have been written.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	st := grpcstatus.From(err)
	if _, told := status.FromError(err); !told && st.Code() == codes.Internal {
		// The service's own failures are statuses, logged where they were made.
		a.logger.LogAttrs(r.Context(), slog.LevelError, "call failed",
			slog.String("request_id", r.Header.Get(requestIDHeader)), slog.Any("error", err))
	}
	header := w.Header()
	header.Set("Content-Type", jsonType)
	SetRetryAfter(header, st)
	if st.Code() == codes.Unauthenticated {
		header.Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(grpcstatus.HTTPStatus(st))
	_, _ = w.Write(grpcstatus.HTTPBody(st)) // A client that is gone misses nothing.
}

// refuse answers a request that never reached the service: nobody was dialled.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if r.Method == http.MethodPost {
		err = notDialled(err)
	}
	a.refused(apierror.ReasonOf(err))
	a.logger.LogAttrs(r.Context(), slog.LevelWarn, "request refused",
		slog.String("method", r.Method),
		slog.String("path", r.URL.EscapedPath()),
		slog.String("request_id", r.Header.Get(requestIDHeader)),
		slog.String("trace_id", requestctx.TraceID(r.Header.Get(traceparentHeader))),
		slog.String("reason", string(apierror.ReasonOf(err))))
	a.fail(w, r, err)
}

// SetRetryAfter says in a header what a RetryInfo says.
func SetRetryAfter(header http.Header, st *status.Status) {
	if delay := grpcstatus.RetryDelay(st); delay > 0 {
		header.Set("Retry-After", wholeSeconds(delay))
	}
}

// notDialled is the error of a request that was not sent upstream. Others may hold err
// too: it is not changed.
func notDialled(err error) error {
	own := *apierror.From(err)
	own.Dialled = apierror.DialledNo
	return &own
}

// wholeSeconds never invites earlier than the delay says.
func wholeSeconds(delay time.Duration) string {
	return strconv.FormatInt(int64((delay+time.Second-1)/time.Second), 10)
}

// failCall is grpc-gateway's way to answer with an error.
func (a *api) failCall(
	ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error,
) {
	setOutgoing(w.Header(), ctx)
	a.fail(w, r, err)
}

// failRoute is grpc-gateway's way to say that no route has this path, or method.
func (a *api) failRoute(
	_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, number int,
) {
	err := routeNotFound()
	if number == http.StatusMethodNotAllowed {
		allowed := allowedMethods(r.URL.EscapedPath())
		w.Header().Set("Allow", allowed)
		err = &apierror.Error{Reason: apierror.MethodNotAllowed, Message: "this path takes " + allowed}
	}
	a.refuse(w, r, err)
}

func routeNotFound() *apierror.Error {
	return &apierror.Error{Reason: apierror.RouteNotFound, Message: "route not found"}
}

// allowedMethods are the methods of a path that some route has.
func allowedMethods(path string) string {
	const slashesOfOneParticipant = 5
	switch {
	case strings.Count(path, "/") == slashesOfOneParticipant:
		return "DELETE"
	case strings.HasSuffix(path, ":"+watchVerb):
		return "GET, HEAD"
	default:
		return "GET, HEAD, POST"
	}
}
