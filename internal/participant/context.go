package participant

import "context"

type contextKey uint8

const (
	requestIDKey contextKey = iota
	traceparentKey
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
