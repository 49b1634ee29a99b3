package tracing

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/requestctx"
)

// samplerOf returns the SDK's sampler.
func samplerOf(options Options) sdktrace.Sampler {
	ratio := sdktrace.TraceIDRatioBased(options.SampleRatio)
	return map[Sampler]sdktrace.Sampler{
		AlwaysOn:      sdktrace.AlwaysSample(),
		AlwaysOff:     sdktrace.NeverSample(),
		Ratio:         ratio,
		ParentOrOn:    sdktrace.ParentBased(sdktrace.AlwaysSample()),
		ParentOrOff:   sdktrace.ParentBased(sdktrace.NeverSample()),
		ParentOrRatio: sdktrace.ParentBased(ratio),
	}[options.Sampler]
}

// linkedSampler samples a trace that is linked to a sampled one, so that what a sampled call caused
// can be seen.
type linkedSampler struct{ sdktrace.Sampler }

// ShouldSample implements sdktrace.Sampler.
func (s linkedSampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	hasParent := trace.SpanContextFromContext(p.ParentContext).IsValid()
	if !hasParent && slices.ContainsFunc(p.Links, func(link trace.Link) bool { return link.SpanContext.IsSampled() }) {
		return sdktrace.SamplingResult{Decision: sdktrace.RecordAndSample}
	}
	return s.Sampler.ShouldSample(p)
}

// idGenerator gives the first span of a trace the ids that its caller was told. All other ids are
// random.
type idGenerator struct{}

// NewIDs implements sdktrace.IDGenerator.
func (g idGenerator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if ids, ok := requestctx.RootIDs(ctx); ok {
		return ids.TraceID(), ids.SpanID()
	}
	var id trace.TraceID
	for !id.IsValid() {
		binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
		binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	}
	return id, g.NewSpanID(ctx, id)
}

// NewSpanID implements sdktrace.IDGenerator.
func (idGenerator) NewSpanID(context.Context, trace.TraceID) trace.SpanID {
	var id trace.SpanID
	for !id.IsValid() {
		binary.NativeEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}
