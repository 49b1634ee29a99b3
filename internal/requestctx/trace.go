package requestctx

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// maxRequestID is the longest request id of a caller.
const maxRequestID = 128

// ValidRequestID returns the caller's request id, or a new one if it is missing or invalid.
func ValidRequestID(given string) string {
	if given == "" || len(given) > maxRequestID || strings.ContainsFunc(given, isUnsafe) {
		return rand.Text()
	}
	return given
}

// isUnsafe reports whether a request id must not contain a character, because logs and headers show it.
func isUnsafe(r rune) bool { return r <= ' ' || r > '~' }

// The lengths of the parts of a W3C trace context: `00-TRACE-SPAN-FLAGS`.
const (
	traceparentLength = 55
	traceStart        = 3
	spanStart         = 36
	flagsStart        = 53
)

// ParseTraceparent returns the span that a W3C trace context names. ok is false for a text that is
// not one of exactly that form, or has the version ff or an id of zeros, which W3C forbids.
func ParseTraceparent(text string) (span trace.SpanContext, ok bool) {
	if len(text) != traceparentLength || text[traceStart-1] != '-' || text[spanStart-1] != '-' || text[flagsStart-1] != '-' {
		return trace.SpanContext{}, false
	}
	var version, flags [1]byte
	var config trace.SpanContextConfig
	ok = decodeHex(version[:], text[:traceStart-1]) && version[0] != 0xff &&
		decodeHex(config.TraceID[:], text[traceStart:spanStart-1]) &&
		decodeHex(config.SpanID[:], text[spanStart:flagsStart-1]) &&
		decodeHex(flags[:], text[flagsStart:])
	config.TraceFlags, config.Remote = trace.TraceFlags(flags[0]), true
	span = trace.NewSpanContext(config)
	return span, ok && span.IsValid()
}

// decodeHex accepts lower-case digits only, as W3C does.
func decodeHex(to []byte, text string) bool {
	if strings.ContainsAny(text, "ABCDEF") {
		return false
	}
	_, err := hex.Decode(to, []byte(text))
	return err == nil
}

// NewTrace returns the ids of a new trace and of its first span, which is not sampled.
func NewTrace() trace.SpanContext {
	var ids [24]byte
	// Read never returns an error.
	_, _ = rand.Read(ids[:])
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(ids[:16]), SpanID: trace.SpanID(ids[16:]), Remote: true,
	})
}

// TraceparentOf returns a span as a W3C trace context, or the empty string for an invalid one.
func TraceparentOf(span trace.SpanContext) string {
	if !span.IsValid() {
		return ""
	}
	return "00-" + span.TraceID().String() + "-" + span.SpanID().String() + "-" + span.TraceFlags().String()
}

// Traceparent returns the W3C trace context of the present span: the gateway's own, or the
// caller's without traces. It returns the empty string if there is none.
func Traceparent(ctx context.Context) string {
	return TraceparentOf(trace.SpanContextFromContext(ctx))
}

// TraceID returns the id of the trace in a W3C trace context, or the empty string.
func TraceID(traceparent string) string {
	if span, ok := ParseTraceparent(traceparent); ok {
		return span.TraceID().String()
	}
	return ""
}

// WithNewTrace marks the trace context of a request as one that a transport of the gateway has
// made, because the caller sent none.
func WithNewTrace(ctx context.Context) context.Context {
	return context.WithValue(ctx, newTraceKey, true)
}

// IsNewTrace reports whether ctx comes from WithNewTrace.
func IsNewTrace(ctx context.Context) bool {
	is, _ := ctx.Value(newTraceKey).(bool)
	return is
}

// WithRootIDs returns a context in which a span without a parent gets these ids. It must not be
// kept: two spans would have the same ids.
func WithRootIDs(ctx context.Context, ids trace.SpanContext) context.Context {
	return context.WithValue(ctx, rootIDsKey, ids)
}

// RootIDs returns the ids that a span without a parent gets. ok is false if it may have any.
func RootIDs(ctx context.Context) (ids trace.SpanContext, ok bool) {
	ids, ok = ctx.Value(rootIDsKey).(trace.SpanContext)
	return ids, ok
}
