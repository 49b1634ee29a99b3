package httpio

import (
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
)

// ErrorWriter writes error responses as JSON, and logs and counts refused requests.
type ErrorWriter struct {
	Logger *slog.Logger
	// OnRefused, where set, is called for each request that is refused before it reaches
	// the service.
	OnRefused func(apierror.Reason)
	// Audit, where set, is called for each such request, with its error.
	Audit func(*http.Request, error)
}

// WriteError answers with an error. The response must not have started.
func WriteError(w http.ResponseWriter, err error) {
	st := grpcstatus.From(err)
	header := w.Header()
	header.Set("Content-Type", JSONType)
	SetRetryAfter(header, st)
	if st.Code() == codes.Unauthenticated {
		header.Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(grpcstatus.HTTPStatus(st))
	_, _ = w.Write(grpcstatus.HTTPBody(st)) // The client may have disconnected.
}

// Write answers with an error, and logs it where it is an unexpected one. The service's
// own failures are statuses; its interceptors have logged them.
func (e *ErrorWriter) Write(w http.ResponseWriter, r *http.Request, err error) {
	if _, isStatus := status.FromError(err); !isStatus && grpcstatus.From(err).Code() == codes.Internal {
		e.Logger.LogAttrs(r.Context(), slog.LevelError, "call failed",
			slog.String("request_id", r.Header.Get(RequestIDHeader)), slog.Any("error", err))
	}
	WriteError(w, err)
}

// Refuse answers a request that did not reach the service: no phone was dialled.
func (e *ErrorWriter) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	if Dials(r) {
		err = NotDialled(err)
	}
	e.ReportRefusal(r, err, slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()))
	e.Write(w, r, err)
}

// RefuseMethod answers a request whose path does not allow its method.
func (e *ErrorWriter) RefuseMethod(w http.ResponseWriter, r *http.Request, allowed string) {
	w.Header().Set("Allow", allowed)
	e.Refuse(w, r, &apierror.Error{Reason: apierror.MethodNotAllowed, Message: "this path takes " + allowed})
}

// ReportRefusal counts, logs and audits a refused request.
func (e *ErrorWriter) ReportRefusal(r *http.Request, err error, attrs ...slog.Attr) {
	reason := apierror.ReasonOf(err)
	if e.Audit != nil {
		e.Audit(r, err)
	}
	if e.OnRefused != nil {
		e.OnRefused(reason)
	}
	e.Logger.LogAttrs(r.Context(), slog.LevelWarn, "request refused", append(attrs,
		slog.String("request_id", r.Header.Get(RequestIDHeader)),
		slog.String("trace_id", requestctx.TraceID(r.Header.Get(TraceparentHeader))),
		slog.String("reason", string(reason)))...)
}

// SetRetryAfter sets the header Retry-After from the status's RetryInfo, rounded up to
// whole seconds.
func SetRetryAfter(header http.Header, st *status.Status) {
	if delay := grpcstatus.RetryDelay(st); delay > 0 {
		header.Set("Retry-After", strconv.FormatInt(int64((delay+time.Second-1)/time.Second), 10))
	}
}

// Dials reports whether a request can make phones ring, over REST or Connect, also if its path has
// a trailing slash. Only the errors of such a request contain dialled (A1).
func Dials(r *http.Request) bool {
	path := strings.TrimSuffix(r.URL.EscapedPath(), "/")
	if r.Method != http.MethodPost {
		return false
	}
	return wire.Dials(path) || strings.HasSuffix(path, "/participants") || batchPath.MatchString(path)
}

var batchPath = regexp.MustCompile(`/participants(:|%3[Aa])batchAdd$`)

// NotDialled returns the error of a request that was not sent upstream (A1). It does not
// change err, which other requests may share.
func NotDialled(err error) error {
	own := *apierror.From(err)
	own.Dialled = apierror.DialledNo
	return &own
}

// RouteNotFound returns the error of a request whose path has no handler.
func RouteNotFound() error {
	return &apierror.Error{Reason: apierror.RouteNotFound, Message: "route not found"}
}

// InvalidHeader returns the error of a request whose header breaks a rule.
func InvalidHeader(name, rule string) error {
	field := strings.ToLower(name)
	return &apierror.Error{
		Reason:     apierror.InvalidRequest,
		Message:    field + " " + rule,
		Violations: []apierror.Violation{{Field: field, Rule: "header", Message: rule}},
	}
}
