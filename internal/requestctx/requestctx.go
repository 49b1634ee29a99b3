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
	idsKey contextKey = iota
	newTraceKey
	rootIDsKey
	violationsKey
	retryKey
	streamKey
	transportKey
)

// IDs are the ids of a call, or of an entry of a batch.
type IDs struct {
	request  string
	upstream atomic.Pointer[string]
}

// WithIDs returns a context with the id of the caller's request. Upstream requests for the call
// send it too. SetUpstreamRequestID stores the upstream's id in the IDs.
func WithIDs(ctx context.Context, requestID string) (context.Context, *IDs) {
	ids := &IDs{request: requestID}
	return context.WithValue(ctx, idsKey, ids), ids
}

// WithRequestID returns the context of WithIDs alone.
func WithRequestID(ctx context.Context, id string) context.Context {
	ctx, _ = WithIDs(ctx, id)
	return ctx
}

// RequestID returns the id of the caller's request, or the empty string.
func RequestID(ctx context.Context) string {
	if ids, ok := ctx.Value(idsKey).(*IDs); ok {
		return ids.request
	}
	return ""
}

// UpstreamRequest returns the id that the upstream gave to the last request of the call, or the
// empty string. The vendor's support asks for it.
func (i *IDs) UpstreamRequest() string {
	if id := i.upstream.Load(); id != nil {
		return *id
	}
	return ""
}

// SetUpstreamRequestID stores the id that the upstream gave to a request of the call.
func SetUpstreamRequestID(ctx context.Context, id string) {
	if ids, ok := ctx.Value(idsKey).(*IDs); ok && id != "" {
		ids.upstream.Store(&id)
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
