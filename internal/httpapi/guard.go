package httpapi

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// guard contains the checks that every request of the port passes, before it is routed.
type guard struct{ errors *httpio.ErrorWriter }

// withRequestID gives every request and its response a request id and a trace context: the
// caller's own where they are valid.
func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := requestctx.ValidRequestID(r.Header.Get(httpio.RequestIDHeader))
		trace := r.Header.Get(httpio.TraceparentHeader)
		if _, ok := requestctx.ParseTraceparent(trace); !ok {
			trace = requestctx.TraceparentOf(requestctx.NewTrace())
			r = r.WithContext(requestctx.WithNewTrace(r.Context()))
		}
		ids, traces := []string{id}, []string{trace}
		for _, header := range []http.Header{r.Header, w.Header()} {
			header[httpio.RequestIDHeader], header[httpio.TraceparentHeader] = ids, traces
		}
		next.ServeHTTP(w, r)
	})
}

// limitHeaderSize refuses requests whose headers, or URL, are over the limit.
func (g guard) limitHeaderSize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.RequestURI)+len(r.Host)+httpio.HeaderSize(r.Header) > httpio.MaxHeaders {
			g.errors.Refuse(w, r, httpio.HeadersTooLarge())
			return
		}
		next.ServeHTTP(w, r)
	})
}

// recoverPanics answers a request whose handler panics. Once the response has started, it
// closes the connection instead.
func (g guard) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if panicked := recover(); panicked != nil {
				g.afterPanic(w, r, panicked)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func (g guard) afterPanic(w http.ResponseWriter, r *http.Request, panicked any) {
	if panicked == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so.
		panic(panicked)
	}
	panics.Count()
	g.errors.Logger.LogAttrs(r.Context(), slog.LevelError, "panic",
		slog.String("request_id", r.Header.Get(httpio.RequestIDHeader)),
		slog.String("panic", fmt.Sprint(panicked)),
		slog.String("stack", string(debug.Stack())))
	if httpio.TimedWriterOf(w).Started() {
		panic(http.ErrAbortHandler)
	}
	failed := &apierror.Error{Reason: apierror.Internal, Message: "internal error"}
	if httpio.Dials(r) {
		failed.Dialled = apierror.DialledUnknown
	}
	g.errors.Write(w, r, failed)
}
