package interceptor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"runtime/debug"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// maxAttributes is the most log attributes of a call.
const maxAttributes = 12

// attributes appends the log attributes of a call. They contain no participant's name; the
// logger masks phone numbers.
func (c *call) attributes(attrs []slog.Attr, st *status.Status, err error, elapsed time.Duration) []slog.Attr {
	attrs = append(attrs,
		slog.String("method", path.Base(c.method)),
		slog.String("code", st.Code().String()),
		slog.Float64("duration_seconds", elapsed.Seconds()),
		slog.String("caller", c.caller),
		slog.String("request_id", c.requestID),
		slog.String("trace_id", requestctx.TraceID(c.traceparent)),
	)
	if named, ok := c.request.(interface{ GetConferenceId() string }); ok {
		attrs = append(attrs, slog.String("conference_id", loggedID(named.GetConferenceId())))
	}
	if named, ok := c.request.(interface{ GetParticipantId() string }); ok {
		attrs = append(attrs, slog.String("participant_id", loggedID(named.GetParticipantId())))
	}
	if named, ok := c.request.(interface{ GetPhoneNumber() string }); ok {
		attrs = append(attrs, slog.String("phone_number", named.GetPhoneNumber()))
	}
	if c.peer != "" {
		attrs = append(attrs, slog.String("peer", c.peer))
	}
	if id := c.ids.UpstreamRequest(); id != "" {
		attrs = append(attrs, slog.String("upstream_request_id", id))
	}
	if err == nil {
		return attrs
	}
	if known, ok := errors.AsType[*apierror.Error](err); ok {
		attrs = append(attrs, slog.String("reason", string(known.Reason)))
	}
	return append(attrs, slog.String("error", err.Error()))
}

// loggedID returns an id for the log. An invalid one may be anything, such as a phone number
// or a key, and is not logged.
func loggedID(id string) string {
	if id == "" || participant.ValidID(id) {
		return id
	}
	return "invalid"
}

// levelOf returns the log level of a code: a client's error is a warning, the gateway's or
// the upstream's an error. A cancelled call is neither.
func levelOf(code codes.Code) slog.Level {
	switch code {
	case codes.OK, codes.Canceled:
		return slog.LevelInfo
	case codes.Internal, codes.Unknown, codes.Unavailable, codes.DataLoss:
		return slog.LevelError
	default:
		return slog.LevelWarn
	}
}

// LogPanic counts and logs a recovered panic.
func (i *Interceptor) LogPanic(ctx context.Context, method string, panicked any) {
	panics.Count()
	i.logger.LogAttrs(ctx, slog.LevelError, "panic",
		slog.String("method", method),
		slog.String("request_id", requestctx.RequestID(ctx)),
		slog.String("panic", fmt.Sprint(panicked)),
		slog.String("stack", string(debug.Stack())))
}

// LogUnreadable counts, logs and audits a gRPC call whose request could not be read.
func (i *Interceptor) LogUnreadable(ctx context.Context, method string, err error) {
	reason, requestID := apierror.ReasonOf(apierror.From(err)), requestctx.ValidRequestID(incoming(ctx, headerRequestID))
	i.metrics.Refused(reason)
	i.logger.LogAttrs(ctx, slog.LevelWarn, "request refused",
		slog.String("method", path.Base(method)),
		slog.String("request_id", requestID),
		slog.String("trace_id", requestctx.TraceID(incoming(ctx, headerTraceparent))),
		slog.String("peer", peerAddress(ctx)),
		slog.String("reason", string(reason)))
	i.auditRefused(ctx, requestID, method, nil, err)
}

func (i *Interceptor) logPrecheck(ctx context.Context, caller string, err error) {
	i.logger.LogAttrs(ctx, slog.LevelWarn, "request refused",
		slog.String("caller", caller),
		slog.String("request_id", requestctx.RequestID(ctx)),
		slog.String("peer", peerAddress(ctx)),
		slog.String("reason", string(apierror.ReasonOf(err))))
}
