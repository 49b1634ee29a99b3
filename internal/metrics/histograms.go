package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

const (
	// bucketFactor is how much wider each bucket of a native histogram is than the one before:
	// quantiles are off by 5 % at most.
	bucketFactor = 1.1
	// maxNativeBuckets bounds the memory of a series. With more, the buckets become wider.
	maxNativeBuckets = 160
	// minResetInterval is the least time after which a series may begin again instead.
	minResetInterval = time.Hour
)

// histogram returns the options of a histogram: with classic buckets, which every collector reads
// and which can have exemplars in the OpenMetrics format, and with native ones, which fit any
// duration and which Prometheus stores as one series.
func histogram(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:     bucketFactor,
		NativeHistogramMaxBucketNumber:  maxNativeBuckets,
		NativeHistogramMinResetDuration: minResetInterval,
	}
}

// observe adds a duration to a histogram. The trace of a sampled span in ctx is its exemplar.
func observe(ctx context.Context, to prometheus.Observer, took time.Duration) {
	span := trace.SpanFromContext(ctx)
	with, canHave := to.(prometheus.ExemplarObserver)
	if !canHave || !span.IsRecording() {
		to.Observe(took.Seconds())
		return
	}
	with.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": span.SpanContext().TraceID().String()})
}
