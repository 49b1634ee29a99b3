package server

import (
	"errors"
	"log/slog"
	"path"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// attrs are one call's line in the log. It names nobody; the logger masks numbers.
func (c *call) attrs(st *status.Status, err error, took time.Duration) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("method", path.Base(c.method)),
		slog.String("code", st.Code().String()),
		slog.Float64("duration_seconds", took.Seconds()),
		slog.String("caller", c.caller),
		slog.String("request_id", c.requestID),
		slog.String("trace_id", requestctx.TraceID(c.traceparent)),
	}
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
	if id := c.upstream.ID(); id != "" {
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

// loggedID is an id as the log shows it. What is none may be anything, of any length: a
// phone number, a key pasted into the wrong place.
func loggedID(id string) string {
	if id == "" || participant.ValidID(id) {
		return id
	}
	return "invalid"
}

// levelOf is how loud a code is: a client's fault is a warning, ours an error, and a
// client who hangs up is neither.
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
