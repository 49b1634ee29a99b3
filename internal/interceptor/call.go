package interceptor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/audit"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
)

// Names of metadata, which are HTTP headers too.
const (
	headerRequestID     = "x-request-id"
	headerTraceparent   = "traceparent"
	headerAuthorization = "authorization"
	headerAuthToken     = "x-auth-token"
)

// call is one call while it runs.
type call struct {
	interceptor *Interceptor
	method      string
	request     proto.Message
	start       time.Time
	requestID   string
	// traceparent is the caller's trace context, or a new one.
	traceparent string
	span        trace.Span
	caller      string
	// peer is the address of a caller who was not authorized.
	peer string
	// reachedService is false while certainly nothing was sent upstream.
	reachedService bool
	// entries says whether an entry of a batch has made a phone ring, or may have.
	entries audit.Dialled
	ids     *requestctx.IDs
}

// begin gives a call its ids, under which the logs of both sides show it.
func (i *Interceptor) begin(ctx context.Context, method string, request proto.Message) (context.Context, *call) {
	c := &call{
		interceptor: i, method: method, request: request, start: time.Now(),
		requestID: requestctx.ValidRequestID(incoming(ctx, headerRequestID)),
		entries:   audit.DialledNo,
	}
	ctx, c.ids = requestctx.WithIDs(ctx, c.requestID)
	ctx, c.span, c.traceparent = i.startSpan(ctx, method, incoming(ctx, headerTraceparent))
	return ctx, c
}

// header returns the response headers of every call.
func (c *call) header() metadata.MD {
	return metadata.Pairs(headerRequestID, c.requestID, headerTraceparent, c.traceparent)
}

// incoming returns the first value of a call's metadata with a name, or the empty string.
func incoming(ctx context.Context, name string) string {
	if values := metadata.ValueFromIncomingContext(ctx, name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// end audits, logs and counts a call, and returns its error as a status.
func (c *call) end(ctx context.Context, response any, err error, panicked any) error {
	if panicked != nil {
		c.interceptor.LogPanic(ctx, c.method, panicked)
		err = fmt.Errorf("panic: %v", panicked)
	}
	err = c.withDialled(err)
	c.audit(ctx, response, err)
	st := grpcstatus.From(err)
	elapsed := time.Since(c.start)
	c.interceptor.metrics.Called(ctx, c.method, st.Code(), elapsed)
	c.interceptor.metrics.Refused(apierror.ReasonOf(err))
	if level := levelOf(st.Code()); c.interceptor.logger.Enabled(ctx, level) {
		// LogAttrs would look for the line of the code too, which the log does not contain.
		record := slog.NewRecord(time.Now(), level, "call", 0)
		var room [maxAttributes]slog.Attr // Without an allocation.
		record.AddAttrs(c.attributes(room[:0], st, err, elapsed)...)
		_ = c.interceptor.logger.Handler().Handle(ctx, record) // A log that cannot be written must not fail a call.
	}
	c.endSpan(st, err)
	return st.Err()
}

// withDialled sets Dialled on an error of a call that dials and does not have it (A1). Before the
// service has the request, nothing was dialled. The service sets Dialled on its own errors;
// after an unexpected one, the phone may ring.
func (c *call) withDialled(err error) error {
	if err == nil || !wire.Dials(c.method) {
		return err
	}
	_, isOurs := errors.AsType[*apierror.Error](err)
	complete := *apierror.From(err)
	switch {
	case complete.Dialled != "":
		return err
	case isOurs, !c.reachedService:
		complete.Dialled = apierror.DialledNo
	default:
		complete.Dialled = apierror.DialledUnknown
	}
	if !isOurs {
		complete.Cause = err
	}
	return &complete
}
