// Package requestctx is what a call's context carries: the request id, the trace context,
// the upstream's request id, and the fields of the request that could not be read.
package requestctx

import (
	"context"
	"sync/atomic"

	"github.com/audian/participant-gateway/internal/apierror"
)

type contextKey uint8

const (
	requestIDKey contextKey = iota
	traceparentKey
	upstreamRequestKey
	violationsKey
	retryKey
)

// WithRequestID gives ctx the id under which the caller's request is known; what is
// sent upstream on its behalf carries it on.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey, id)
}

// RequestID is the id of the caller's request, empty where there is none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

// WithTraceparent gives ctx the W3C trace context of the caller's request, as its
// header has it.
func WithTraceparent(ctx context.Context, traceparent string) context.Context {
	return context.WithValue(ctx, traceparentKey, traceparent)
}

// Traceparent is the trace context of the caller's request, empty where there is none.
func Traceparent(ctx context.Context) string {
	traceparent, _ := ctx.Value(traceparentKey).(string)
	return traceparent
}

// UpstreamRequest is the id that the upstream gave the last request of a call, which is
// what its support asks for.
type UpstreamRequest struct{ id atomic.Pointer[string] }

// ID is empty where the upstream gave none.
func (u *UpstreamRequest) ID() string {
	if id := u.id.Load(); id != nil {
		return *id
	}
	return ""
}

// WithUpstreamRequest gives ctx a place for that id.
func WithUpstreamRequest(ctx context.Context) (context.Context, *UpstreamRequest) {
	place := &UpstreamRequest{}
	return context.WithValue(ctx, upstreamRequestKey, place), place
}

// NoteUpstreamRequest puts the id into the place that ctx has, if it has one.
func NoteUpstreamRequest(ctx context.Context, id string) {
	if place, ok := ctx.Value(upstreamRequestKey).(*UpstreamRequest); ok && id != "" {
		place.id.Store(&id)
	}
}

// WithViolations gives ctx the fields of the call's request that could not be read
// where it came in, so that one error names them together with those that break a rule.
func WithViolations(ctx context.Context, violations []apierror.Violation) context.Context {
	return context.WithValue(ctx, violationsKey, violations)
}

// Violations are the fields that could not be read.
func Violations(ctx context.Context) []apierror.Violation {
	violations, _ := ctx.Value(violationsKey).([]apierror.Violation)
	return violations
}

// AsRetry says of ctx that what is sent under it was sent before and failed, so that the
// tries of one call do not count as calls.
func AsRetry(ctx context.Context) context.Context {
	return context.WithValue(ctx, retryKey, true)
}

// IsRetry says whether AsRetry was said.
func IsRetry(ctx context.Context) bool {
	is, _ := ctx.Value(retryKey).(bool)
	return is
}
