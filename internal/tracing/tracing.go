package tracing

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/requestctx"
)

// closeTimeout bounds the export of the last spans, so that a collector that does not answer delays
// no drain.
const closeTimeout = time.Second

// Provider makes and exports spans. A nil Provider does neither.
type Provider struct {
	provider *sdktrace.TracerProvider
	errors   *errorLog
	// abort ends a running export.
	abort context.CancelFunc
}

// New returns a Provider, or nil if the options export nothing. It does not connect. The caller
// closes the Provider.
func New(options Options, version string, logger *slog.Logger) (*Provider, error) {
	if !options.On() {
		return nil, nil //nolint:nilnil // A nil Provider is one that exports nothing.
	}
	exporter, err := newExporter(options)
	if err != nil {
		return nil, fmt.Errorf("export traces: %w", err)
	}
	described, err := resource.New(context.Background(),
		resource.WithTelemetrySDK(), resource.WithAttributes(describe(options, version)...))
	if err != nil {
		return nil, fmt.Errorf("describe the process: %w", err)
	}
	reported := newErrorLog(logger, options.Headers)
	// The SDK reports what no exporter returns, such as spans that a collector refused, to a handler
	// of the whole process. Its default writes to standard error.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(reported.report))
	running, abort := context.WithCancel(context.Background())
	return &Provider{errors: reported, abort: abort, provider: sdktrace.NewTracerProvider(
		sdktrace.WithResource(described),
		sdktrace.WithIDGenerator(idGenerator{}),
		sdktrace.WithSampler(linkedSampler{samplerOf(options)}),
		sdktrace.WithBatcher(
			reportingExporter{exporter, reported, running},
			sdktrace.WithBatchTimeout(options.Delay), sdktrace.WithExportTimeout(options.Timeout),
			sdktrace.WithMaxQueueSize(options.QueueSize), sdktrace.WithMaxExportBatchSize(options.BatchSize),
		),
	)}, nil
}

// describe returns the attributes of the process.
func describe(options Options, version string) []attribute.KeyValue {
	attributes := []attribute.KeyValue{attribute.String("service.version", version)}
	for _, key := range slices.Sorted(maps.Keys(options.Resource)) {
		attributes = append(attributes, attribute.String(key, options.Resource[key]))
	}
	name := cmp.Or(options.ServiceName, options.Resource["service.name"], "participant-gateway")
	// Of two attributes with one key, the last counts.
	return append(attributes, attribute.String("service.name", name))
}

// Tracer returns the tracer of calls and polls; nil if nothing is exported.
func (p *Provider) Tracer() trace.Tracer {
	if p == nil {
		return nil
	}
	return p.provider.Tracer(requestctx.TracerName)
}

// Close exports what is left, for at most a second.
func (p *Provider) Close(ctx context.Context) {
	if p == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	defer p.abort()
	if err := p.provider.Shutdown(ctx); err != nil {
		p.errors.report(fmt.Errorf("export the last spans: %w", err))
	}
}
