package tracing

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/credentials"
)

// newExporter returns the exporter of the protocol. All that it needs is an option: it would read
// variables for what is none.
func newExporter(options Options) (sdktrace.SpanExporter, error) {
	secure, err := options.TLS()
	if err != nil {
		return nil, err
	}
	client := newHTTPClient(options, secure)
	if options.Protocol == GRPC {
		client = newGRPCClient(options, secure)
	}
	return otlptrace.New(context.Background(), client) //nolint:wrapcheck // The one caller wraps.
}

func newHTTPClient(options Options, secure *tls.Config) otlptrace.Client {
	compression := otlptracehttp.NoCompression
	if options.Gzip {
		compression = otlptracehttp.GzipCompression
	}
	set := []otlptracehttp.Option{
		otlptracehttp.WithEndpointURL(options.Endpoint), otlptracehttp.WithHeaders(options.headers()),
		otlptracehttp.WithCompression(compression), otlptracehttp.WithTimeout(options.Timeout),
	}
	if !options.isPlain() {
		set = append(set, otlptracehttp.WithTLSClientConfig(secure))
	}
	return otlptracehttp.NewClient(set...)
}

func newGRPCClient(options Options, secure *tls.Config) otlptrace.Client {
	set := []otlptracegrpc.Option{
		otlptracegrpc.WithEndpointURL(options.Endpoint), otlptracegrpc.WithHeaders(options.headers()),
		otlptracegrpc.WithTimeout(options.Timeout),
	}
	if !options.isPlain() {
		set = append(set, otlptracegrpc.WithTLSCredentials(credentials.NewTLS(secure)))
	}
	if options.Gzip {
		set = append(set, otlptracegrpc.WithCompressor("gzip"))
	}
	return otlptracegrpc.NewClient(set...)
}

// isPlain reports whether connections to the collector are not encrypted.
func (o Options) isPlain() bool { return strings.HasPrefix(o.Endpoint, "http://") }

func (o Options) headers() map[string]string {
	headers := make(map[string]string, len(o.Headers))
	for name, value := range o.Headers {
		headers[name] = value.Reveal()
	}
	return headers
}

// TLS returns the TLS configuration of connections to the collector.
func (o Options) TLS() (*tls.Config, error) {
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		text, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the authorities: %w", err)
		}
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM(text) {
			return nil, errors.New("the file of the authorities contains no certificate")
		}
	}
	if o.CertFile != "" {
		own, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("load the certificate: %w", err)
		}
		secure.Certificates = []tls.Certificate{own}
	}
	return secure, nil
}

// reportingExporter logs the errors of an exporter. The SDK gets none.
type reportingExporter struct {
	sdktrace.SpanExporter

	errors *errorLog
	// abort ends a running export.
	abort context.Context //nolint:containedctx // It is that of the SDK's goroutine.
}

// ExportSpans implements sdktrace.SpanExporter.
func (e reportingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(e.abort, cancel) //nolint:contextcheck // Either of the two contexts ends the export.
	defer stop()
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.errors.report(err)
	}
	return nil
}
