package tracing

import (
	"slices"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
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
