package rest

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
)

// answerChunk is how much of an answer a client must take within SendTimeout.
const answerChunk = 16 << 10

// Bound gives a client the time to send a request and to read the answer, for as long as
// it makes progress. A handler that streams sets write deadlines of its own instead.
func Bound(next http.Handler) http.Handler {
	return boundBodies(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&boundAnswer{ResponseWriter: w, control: http.NewResponseController(w)}, r)
	}))
}

// boundAnswer is an answer whose client has to read it, chunk by chunk. Over HTTP/1 the
// last deadline stays, for what net/http has yet to send; the next answer moves it.
type boundAnswer struct {
	http.ResponseWriter

	control *http.ResponseController
	// own says that the handler sets the write deadlines.
	own atomic.Bool
	// begun says that some of the answer was written.
	begun bool
}

// Unwrap is for http.ResponseController.
func (b *boundAnswer) Unwrap() http.ResponseWriter { return b.ResponseWriter }

// SetWriteDeadline leaves the deadlines to the handler from here on.
func (b *boundAnswer) SetWriteDeadline(deadline time.Time) error {
	b.own.Store(true)
	return b.control.SetWriteDeadline(deadline) //nolint:wrapcheck // It stands for the writer itself.
}

func (b *boundAnswer) WriteHeader(status int) {
	b.begun = true
	b.extend()
	b.ResponseWriter.WriteHeader(status)
}

func (b *boundAnswer) Write(p []byte) (int, error) {
	b.begun = true
	written := 0
	for {
		b.extend()
		n, err := b.ResponseWriter.Write(p[written:min(written+answerChunk, len(p))])
		written += n
		if err != nil || written == len(p) {
			return written, err //nolint:wrapcheck // It stands for the writer itself.
		}
	}
}

// FlushError is for http.ResponseController, and Flush for http.Flusher.
func (b *boundAnswer) FlushError() error {
	b.extend()
	return b.control.Flush() //nolint:wrapcheck // It stands for the writer itself.
}

// Flush sends what was written.
func (b *boundAnswer) Flush() { _ = b.FlushError() }

// extend sets the deadline of the next chunk. A writer without deadlines is one of a test.
func (b *boundAnswer) extend() {
	if !b.own.Load() {
		_ = b.control.SetWriteDeadline(time.Now().Add(SendTimeout))
	}
}

// MaxHeaders is how large the headers of a request may be. The servers below read more,
// so that it is refused as every other request is, alone and with a reason.
const MaxHeaders = 32 << 10

// headerOverhead is what HTTP/2 counts for each header beside its text (RFC 9113, 6.5.2).
const headerOverhead = 32

// HeaderSize is the size of headers as HTTP/2 counts it.
func HeaderSize(header map[string][]string) int {
	size := 0
	for name, values := range header {
		for _, value := range values {
			size += len(name) + len(value) + headerOverhead
		}
	}
	return size
}

// HeadersTooLarge is the error of a request whose headers are over MaxHeaders.
func HeadersTooLarge() *apierror.Error {
	return &apierror.Error{
		Reason:  apierror.HeadersTooLarge,
		Message: fmt.Sprintf("the headers must be at most %d bytes", MaxHeaders),
	}
}

// refuseLargeHeaders refuses requests whose headers, or URL, are over MaxHeaders.
func (a *api) refuseLargeHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.RequestURI)+len(r.Host)+HeaderSize(r.Header) > MaxHeaders {
			a.refuse(w, r, HeadersTooLarge())
			return
		}
		next.ServeHTTP(w, r)
	})
}

// recovered answers a request whose handler panics, and counts it. Where the answer has
// begun, the connection is cut: net/http does so.
func (a *api) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if panicked := recover(); panicked != nil {
				a.afterPanic(w, r, panicked)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func (a *api) afterPanic(w http.ResponseWriter, r *http.Request, panicked any) {
	if panicked == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so.
		panic(panicked)
	}
	panics.Count()
	a.logger.LogAttrs(r.Context(), slog.LevelError, "panic",
		slog.String("request_id", r.Header.Get(requestIDHeader)),
		slog.String("panic", fmt.Sprint(panicked)),
		slog.String("stack", string(debug.Stack())))
	if answer, isBound := w.(*boundAnswer); !isBound || answer.begun {
		panic(http.ErrAbortHandler)
	}
	failed := &apierror.Error{Reason: apierror.Internal, Message: "internal error"}
	if r.Method == http.MethodPost {
		failed.Dialled = apierror.DialledUnknown
	}
	a.fail(w, r, failed)
}
