// Package requestctx stores values of a call in its context: the request id, the trace
// context, the upstream's request id, the fields of the request that could not be read, whether a
// request is a retry, and which stream and transport a call uses.
package requestctx

import (
	"context"
	"sync/atomic"

	"github.com/audian/participant-gateway/internal/apierror"
)

type contextKey uint8

const (
	requestIDKey contextKey = iota
	newTraceKey
	rootIDsKey
	upstreamRequestKey
	violationsKey
	retryKey
	streamKey
	transportKey
)

// WithRequestID returns a context with the id of the caller's request. Upstream requests for
// the call send it too.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey, id)
}

// RequestID returns the id of the caller's request, or the empty string.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

// UpstreamRequest stores the id that the upstream gave to the last request of a call. The
// vendor's support asks for it.
type UpstreamRequest struct{ id atomic.Pointer[string] }

// ID returns the id, or the empty string.
func (u *UpstreamRequest) ID() string {
	if id := u.id.Load(); id != nil {
		return *id
	}
	return ""
}

// WithUpstreamRequest returns a context in which SetUpstreamRequestID stores the id.
func WithUpstreamRequest(ctx context.Context) (context.Context, *UpstreamRequest) {
	request := &UpstreamRequest{}
	return context.WithValue(ctx, upstreamRequestKey, request), request
}

// SetUpstreamRequestID stores the id, if ctx comes from WithUpstreamRequest.
func SetUpstreamRequestID(ctx context.Context, id string) {
	if request, ok := ctx.Value(upstreamRequestKey).(*UpstreamRequest); ok && id != "" {
		request.id.Store(&id)
	}
}

// WithViolations returns a context with the fields that the transport could not read, so
// that one error names them together with the fields that break a rule.
func WithViolations(ctx context.Context, violations []apierror.Violation) context.Context {
	return context.WithValue(ctx, violationsKey, violations)
}

// Violations returns the fields that the transport could not read.
func Violations(ctx context.Context) []apierror.Violation {
	violations, _ := ctx.Value(violationsKey).([]apierror.Violation)
	return violations
}

// WithRetry marks upstream requests under ctx as retries, which are not counted as calls.
func WithRetry(ctx context.Context) context.Context {
	return context.WithValue(ctx, retryKey, true)
}

// IsRetry reports whether ctx comes from WithRetry.
func IsRetry(ctx context.Context) bool {
	is, _ := ctx.Value(retryKey).(bool)
	return is
}
